// A large value that a dictionary points to. A dictionary's rows stand half empty right after it has grown, and an empty row is as large as a full one.

/// A value of its own. Whoever has it changes the one value.
final class Held<Value> {
  var value: Value
  init(_ value: Value) { self.value = value }
}
