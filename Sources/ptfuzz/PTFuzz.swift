// ptfuzz: one reader of bytes from outside under libFuzzer. Built by tools/fuzz alone, with -sanitize=fuzzer.
//
//   PT_FUZZ_TARGET=snmp ptfuzz [libFuzzer's options] CORPUS...

internal import FuzzTargets
internal import Glibc

/// compiler-rt, fuzzer/FuzzerInterface.h.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ argumentCount: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ run: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

@main enum PTFuzz {
  fileprivate static let target: FuzzTarget = {
    let name = getenv("PT_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = FuzzTarget(rawValue: name) else {
      let all = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
      print("PT_FUZZ_TARGET must be one of \(all).")
      exit(64)
    }
    return target
  }()

  static func main() {
    var count = CommandLine.argc
    var arguments = CommandLine.unsafeArgv
    let code = runDriver(&count, &arguments) { bytes, length in
      PTFuzz.target.run(UnsafeRawBufferPointer(start: bytes, count: length))
      return 0
    }
    exit(code)
  }
}
