// Words that are not a printer's leave a walk that is given away, whatever object they are in and however they are written.

internal import Foundation
internal import MIB
internal import Testing

@testable import PrinterModel

@Suite("The words of an anonymous walk")
struct AnonymousWordsTests {
  private static let own: ObjectIdentifier = [1, 3, 6, 1, 4, 1, 11, 2, 99]

  /// A printer whose people have named everything that can be named.
  private static let named = SNMPRec.parse(
    Array(
      """
      1.3.6.1.2.1.1.1.0|4|HP ETHERNET MULTI-ENVIRONMENT,SN:VNB3K12345,FN:1G11F33,SVCID:26267,PID:HP Color LaserJet M553
      1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.11.2.3.9.1
      1.3.6.1.2.1.1.5.0|4|prn-07.acme-corp.example
      1.3.6.1.2.1.1.6.0|4|Haus 4, Raum 217
      1.3.6.1.2.1.2.2.1.2.1|4|HP wlan AcmeCorp-WLAN-5G
      1.3.6.1.2.1.25.3.2.1.2.1|6|1.3.6.1.2.1.25.3.1.5
      1.3.6.1.2.1.25.3.2.1.3.1|4|HP Color LaserJet M553
      1.3.6.1.2.1.43.5.1.1.16.1|4|Personalabteilung-Farbe
      1.3.6.1.2.1.43.5.1.1.17.1|4|VNB3K12345
      1.3.6.1.2.1.43.7.1.1.2.1.1|4|de
      1.3.6.1.2.1.43.8.2.1.12.1.1|4|Briefpapier Mueller GmbH
      1.3.6.1.2.1.43.8.2.1.13.1.1|4|Tray Hans
      1.3.6.1.2.1.43.9.2.1.12.1.1|4|Ablage Anna
      1.3.6.1.2.1.43.10.2.1.3.1.1|2|7
      1.3.6.1.2.1.43.10.2.1.4.1.1|65|1000
      1.3.6.1.2.1.43.11.1.1.5.1.1|2|3
      1.3.6.1.2.1.43.11.1.1.6.1.1|4|Black Cartridge HP CF360A SN:ZZ99887766
      1.3.6.1.2.1.43.11.1.1.8.1.1|2|100
      1.3.6.1.2.1.43.11.1.1.9.1.1|2|50
      1.3.6.1.2.1.43.14.1.1.8.1.1|4|lp_schmidt
      1.3.6.1.2.1.43.16.5.1.2.1.1|4|Job from hschmidt: Kuendigung_Mueller.docx
      1.3.6.1.2.1.43.18.1.1.8.1.1|4|Job of hschmidt held. Call 030-5557788
      1.3.6.1.4.1.11.2.3.9.1.1.7.0|4|MFG:Hewlett-Packard;MDL:HP Color LaserJet M553;SN:VNB3K12345;CLS:PRINTER;LOC:Raum Zwo;
      1.3.6.1.4.1.11.2.99.1.0|4|hschmidt
      1.3.6.1.4.1.11.2.99.2.0|4|HSCHMIDT
      1.3.6.1.4.1.11.2.99.3.0|4|Kuendigung_Mueller.docx
      1.3.6.1.4.1.11.2.99.4.0|4|VNB3-K123-45
      1.3.6.1.4.1.11.2.99.5.0|4|DE89370400440532013000
      1.3.6.1.4.1.11.2.99.6.0|4|DE89 3704 0044 0532 0130 00
      1.3.6.1.4.1.11.2.99.7.0|4|WPA2-PSK KeyPhrase: sommer2024
      1.3.6.1.4.1.11.2.99.8.0|4x|4dfc6c6c6572
      1.3.6.1.4.1.11.2.99.9.0|4x|68007300630068006d00690064007400
      1.3.6.1.4.1.11.2.99.10.0|4x|00410063006d00650043006f00720070002d0057004c0041004e
      1.3.6.1.4.1.11.2.99.11.0|4x|000141636d65436f72702d574c414e0000687363686d69647400
      1.3.6.1.4.1.11.2.99.12.0|4|Müller
      1.3.6.1.4.1.11.2.99.13.0|4x|506572736f6e616c61627465696c756e0a36372032642034362030300a
      1.3.6.1.4.1.11.2.99.14.0|4|Service 0800 123456
      1.3.6.1.4.1.11.2.99.20.104.115.99.104.109.105.100.116|2|7
      1.3.6.1.4.1.11.2.99.21.119.97.103.110.101.114|2|8
      1.3.6.1.4.1.11.2.99.30.0|4|Ready
      1.3.6.1.4.1.11.2.99.31.0|4|Toner fast leer, Fach 2 A4 210x297mm
      1.3.6.1.4.1.11.2.99.32.0|4|Bac 1 vide; Bandeja 2 vacía; Cassetto 3 vuoto; papierlade leeg
      1.3.6.1.4.1.11.2.99.33.0|4|000012345
      1.3.6.1.4.1.11.2.99.34.0|4|2024-03-15 tonerLow na_letter_8.5x11in

      """.utf8)
  ).walk

  private static func anonymous(_ seed: UInt64 = 7) -> Walk { Interpretation.anonymised(named, seed: seed).walk }

  private static func text(_ number: UInt32, of walk: Walk) -> String? {
    walk[own.appending(number).appending(0)]?.octets.map { String(decoding: $0, as: UTF8.self) }
  }

  @Test(arguments: [1, 7, 99] as [UInt64]) func `nobody's name is left, in any object`(seed: UInt64) {
    let file = String(decoding: SNMPRec.bytes(of: Self.anonymous(seed)), as: UTF8.self).lowercased()
    let words = [
      "schmidt", "mueller", "kuendigung", "acme", "personal", "hans", "anna", "gmbh", "raum", "zwo", "5557788",
      "030-", "briefpapier mueller", "vnb3", "k123", "zz99", "99887766",
      "de8937", "3704", "sommer", "2024-p", "keyphrase",
      "müller", "0800 1", "123456\n", "36372032642034", "104.115.99.104", "119.97.103.110.101.114",
    ]
    for word in words { #expect(!file.contains(word), "\(word)") }
    // Müller in ISO 8859-1, hschmidt and AcmeCorp in UTF-16, AcmeCorp-WLAN and hschmidt between NULs.
    for bytes in ["4dfc6c6c6572", "68007300630068", "410063006d0065", "41636d65436f7270", "687363686d696474"] {
      #expect(!file.contains(bytes), "\(bytes)")
    }
  }

  @Test func `what printers say stays`() {
    let walk = Self.anonymous()
    for number in 30...34 as ClosedRange<UInt32> {
      #expect(Self.text(number, of: walk) == Self.text(number, of: Self.named), "\(number)")
    }
    let file = String(decoding: SNMPRec.bytes(of: walk), as: UTF8.self)
    for kept in [
      "Job from ", "Tray ", "Ablage ", "Briefpapier ", "Black Cartridge HP CF360A SN:", "|de\n",
      "HP ETHERNET MULTI-ENVIRONMENT,SN:", "MFG:Hewlett-Packard;MDL:HP Color LaserJet M553;SN:", "HP wlan ",
    ] { #expect(file.contains(kept), "\(kept)") }
    let before = Interpretation.read(Self.named)
    let after = Interpretation.read(walk)
    #expect(after.meters.map(\.value) == before.meters.map(\.value))
    #expect(after.identity.model == before.identity.model && after.supplies.map(\.partNumber) == ["CF360A"])
  }

  @Test func `the same word has the same stand-in, in each case, encoding and name`() throws {
    let walk = Self.anonymous()
    let standIn = try #require(Self.text(1, of: walk))
    #expect(standIn.count == 8 && standIn != "hschmidt" && standIn.allSatisfy { $0.isLowercase })
    #expect(Self.text(2, of: walk) == standIn.uppercased())
    let console = try #require(walk[[1, 3, 6, 1, 2, 1, 43, 16, 5, 1, 2, 1, 1]]?.octets)
    #expect(String(decoding: console, as: UTF8.self).hasPrefix("Job from \(standIn): "))
    let wide = try #require(walk[Self.own.appending(9).appending(0)]?.octets)
    #expect(wide.array == standIn.utf8.flatMap { [$0, 0] })
    let row = ObjectIdentifier(Self.own.components + [20] + standIn.utf8.map(UInt32.init))
    #expect(walk[row] == Self.named[ObjectIdentifier(Self.own.components + [20] + "hschmidt".utf8.map(UInt32.init))])
  }

  /// What `uname -a` says, a room in the printer's description, and numbers that reach somebody.
  private static let described = SNMPRec.parse(
    Array(
      """
      1.3.6.1.2.1.1.1.0|4|Linux prt-schmidtke 2.6.31.12 #1 PREEMPT armv5tejl
      1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.99999.7
      1.3.6.1.2.1.1.5.0|4|gw-01
      1.3.6.1.2.1.25.3.2.1.2.1|6|1.3.6.1.2.1.25.3.1.5
      1.3.6.1.2.1.25.3.2.1.3.1|4|Acme X1200 Raum Zwickel
      1.3.6.1.2.1.43.10.2.1.3.1.1|2|7
      1.3.6.1.2.1.43.10.2.1.4.1.1|65|1234
      1.3.6.1.2.1.43.11.1.1.6.1.1|4|Black Ink Cartridge T08M1
      1.3.6.1.2.1.43.11.1.1.8.1.1|2|100
      1.3.6.1.2.1.43.11.1.1.9.1.1|2|50
      1.3.6.1.4.1.99999.7.1.0|4|schmidtke
      1.3.6.1.4.1.99999.7.2.0|4|ZWICKEL
      1.3.6.1.4.1.99999.7.3.0|4|Tel: 555778
      1.3.6.1.4.1.99999.7.4.0|4|75 7a 61 6e 64 65 72
      1.3.6.1.4.1.99999.7.5.0|4|55:5A:41:4E
      1.3.6.1.4.1.99999.7.6.0|4|lat=52.5200 lon=13.4050
      1.3.6.1.4.1.99999.7.7.0|4|52.5201, 13.4051
      1.3.6.1.4.1.99999.7.8.10.17.3.97|2|1
      1.3.6.1.4.1.99999.7.9.192.168.7.8.161|2|2
      1.3.6.1.4.1.99999.7.10.1.1.1|2|3
      1.3.6.1.4.1.99999.7.20.0|4|54 6f 6e 65 72 20 6c 6f 77
      1.3.6.1.4.1.99999.7.21.0|4|00 1A 2B 3C 41 42
      1.3.6.1.4.1.99999.7.22.0|4|Copies 555779, Version 1.2345

      """.utf8)
  ).walk

  @Test func `a description teaches no words, and numbers that reach somebody go`() throws {
    let walk = Interpretation.anonymised(Self.described, seed: 7).walk
    let file = String(decoding: SNMPRec.bytes(of: walk), as: UTF8.self)
    for word in [
      "schmidtke", "zwickel", "555778", "75 7a 61", "55:5A:41", "52.520", "13.405", "10.17.3.97", "192.168.7.8",
    ] { #expect(!file.lowercased().contains(word.lowercased()), "\(word)") }
    for kept in [
      "|Linux ", " 2.6.31.12 #1 PREEMPT", " X1200 ", "Black Ink Cartridge T08M1", "54 6f 6e 65 72 20 6c 6f 77",
      "00 1A 2B 3C 41 42", "Copies 555779, Version 1.2345", ".7.10.1.1.1|",
    ] { #expect(file.contains(kept), "\(kept)") }
    #expect(walk.bindings.count == Self.described.bindings.count)
  }

  @Test func `a text in hexadecimal digits is masked as it would be, in the case of its digits`() throws {
    let walk = Interpretation.anonymised(Self.described, seed: 7).walk
    for (object, separator, isUpper) in [([4, 0], " ", false), ([5, 0], ":", true)] as [([UInt32], Character, Bool)] {
      let name = ObjectIdentifier([1, 3, 6, 1, 4, 1, 99999, 7] + object)
      let text = String(decoding: try #require(walk[name]?.octets), as: UTF8.self)
      #expect(text.count == Self.described[name]?.octets?.count)
      let digits = text.split(separator: separator)
      #expect(digits.allSatisfy { UInt8($0, radix: 16).map { UInt8(ascii: "A")...UInt8(ascii: "z") ~= $0 } == true })
      #expect(text == (isUpper ? text.uppercased() : text.lowercased()))
    }
  }

  @Test func `a declared character set tells which bytes are letters`() throws {
    // 0x81 is ü in code page 850, and no letter in ISO 8859-1.
    let walk = Walk([
      VarBind([1, 3, 6, 1, 2, 1, 43, 5, 1, 1, 2, 1], .integer(1)),
      VarBind([1, 3, 6, 1, 2, 1, 43, 7, 1, 1, 4, 1, 1], .integer(2009)),
      VarBind([1, 3, 6, 1, 4, 1, 11, 2, 99, 1, 0], .octets([0x54, 0x81, 0x72] as [UInt8])),
      VarBind([1, 3, 6, 1, 4, 1, 11, 2, 99, 2, 0], .octets([0x4D, 0x81, 0x6C, 0x6C, 0x65, 0x72] as [UInt8])),
    ])
    let after = Interpretation.anonymised(walk, seed: 3).walk
    #expect(after[[1, 3, 6, 1, 4, 1, 11, 2, 99, 1, 0]] == .octets([0x54, 0x81, 0x72] as [UInt8]), "Tür")
    let name = try #require(after[[1, 3, 6, 1, 4, 1, 11, 2, 99, 2, 0]]?.octets)
    #expect(name.count == 6 && !name.array.suffix(4).elementsEqual("ller".utf8))
  }

  @Test func `the list has words of letters alone, in order, and none of them twice in a language`() throws {
    let list = try String(decoding: Data(contentsOf: Self.listFile), as: UTF8.self)
    #expect(PrinterVocabulary.words(ofList: list).count > 2_000)
    for section in list.split(separator: "[").dropFirst() {
      let words = section.split(separator: "]")[1].split { $0 == " " || $0 == "\n" }.map(String.init)
      let sorted = Set(words).sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
      #expect(words == sorted, "\(section.prefix(20))")
      for word in words { #expect(word == word.lowercased() && word.allSatisfy(\.isLetter), "\(word)") }
    }
    for name in ["mark", "will", "rose", "frank", "personal", "account", "contact"] {
      #expect(!PrinterVocabulary.words(ofList: list).contains(name), "\(name) may be somebody or some department")
    }
  }

  private static let listFile = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Sources/PrinterModel/Words/printer-words.txt")
}
