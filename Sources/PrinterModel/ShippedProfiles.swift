// The profile files of this release, embedded in the program by the build (`Profiles/*.toml`, SwiftPM's embedInCode rule). A new file
// is added here by name; a test compares this list with the folder.

enum ShippedProfiles {
  static let files: [(name: String, bytes: [UInt8])] = [
    ("brother.toml", PackageResources.brother_toml),
    ("cab.toml", PackageResources.cab_toml),
    ("canon.toml", PackageResources.canon_toml),
    ("datamax.toml", PackageResources.datamax_toml),
    ("dell.toml", PackageResources.dell_toml),
    ("dymo.toml", PackageResources.dymo_toml),
    ("epson.toml", PackageResources.epson_toml),
    ("hp.toml", PackageResources.hp_toml),
    ("intermec.toml", PackageResources.intermec_toml),
    ("konica-minolta.toml", PackageResources.konica_minolta_toml),
    ("kyocera.toml", PackageResources.kyocera_toml),
    ("lexmark.toml", PackageResources.lexmark_toml),
    ("oce.toml", PackageResources.oce_toml),
    ("oki.toml", PackageResources.oki_toml),
    ("panasonic.toml", PackageResources.panasonic_toml),
    ("pantum.toml", PackageResources.pantum_toml),
    ("printronix.toml", PackageResources.printronix_toml),
    ("ricoh.toml", PackageResources.ricoh_toml),
    ("riso.toml", PackageResources.riso_toml),
    ("samsung.toml", PackageResources.samsung_toml),
    ("sato.toml", PackageResources.sato_toml),
    ("sharp.toml", PackageResources.sharp_toml),
    ("sindoh.toml", PackageResources.sindoh_toml),
    ("toshiba.toml", PackageResources.toshiba_toml),
    ("tsc.toml", PackageResources.tsc_toml),
    ("xerox.toml", PackageResources.xerox_toml),
    ("zebra.toml", PackageResources.zebra_toml),
  ]
}
