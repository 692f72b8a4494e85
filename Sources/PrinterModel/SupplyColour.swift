// The colour of a supply whose device tells it nowhere but in the description: `Toner Cartridge (Cyan)`, `Tonerpatrone Magenta`, `Toner Noir`.
//
// Whole words alone count, in the languages of Words/printer-words.txt. A description that names two colours (`Cyan/Magenta/Yellow Drum`, `Black and
// White`) has none.

enum SupplyColour {
  /// The colour in English, with `photo`, `matte` or `light` where the word before says so; nil where the description names none or several, or
  /// what holds waste.
  static func named(in description: String) -> String? {
    let words = description.lowercased().split { !$0.isLetter }.map(String.init)
    guard !words.contains("waste") else { return nil }
    let named = words.indices.compactMap { index in
      colours[words[index]].map { colour in
        guard index > 0, let shade = shades[words[index - 1]] else { return colour }
        return "\(shade) \(colour)"
      }
    }
    return Set(named).count == 1 ? named.first : nil
  }

  private static let shades = ["photo": "photo", "matte": "matte", "matt": "matte", "light": "light"]

  private static let colours = spellings([
    "black": "black schwarz noir noire negro nero preto zwart svart musta czarny czarna černá siyah ブラック",
    "cyan": "cyan cyaan cian cián ciano syaani シアン",
    "magenta": "magenta マゼンタ",
    "yellow": "yellow gelb jaune amarillo giallo amarelo geel gul keltainen żółty żółta žlutá sarı イエロー",
    "red": "red rot rouge rojo rosso vermelho rood",
    "blue": "blue blau bleu azul blauw",
    "green": "green grün vert verde groen",
    "gray": "gray grey grau gris grigio cinza grijs",
    "white": "white weiß blanc blanco bianco branco wit",
    "orange": "orange",
    "violet": "violet",
  ])

  private static func spellings(_ lists: [String: String]) -> [String: String] {
    Dictionary(
      lists.flatMap { colour, list in list.split(separator: " ").map { (String($0), colour) } },
      uniquingKeysWith: { first, _ in first })
  }
}

extension Supply {
  /// The colour for people: the colorant as the device spells it, else the one that the description names. Nil for containers of waste.
  package var colour: String? {
    if let text = colorant?.text, !text.isEmpty { return text }
    guard !isReceptacle, !isWaste else { return nil }
    return description.flatMap { SupplyColour.named(in: $0.text) }
  }
}

extension Rule {
  /// The colorant, or the colour that the description names.
  static let supplyColour = Rule("printtrail/supply-colour@1")
}
