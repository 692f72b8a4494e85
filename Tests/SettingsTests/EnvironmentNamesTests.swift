import Settings
import Testing

@Suite struct EnvironmentNamesTests {
  @Test func `a variable that means nothing is told with the one that is meant`() {
    let complaint = EnvironmentNames.complaint(about: ["PTAGENT_PROXY_PASWORD"], known: EnvironmentNames.agent)
    #expect(
      complaint
        == "The environment has PTAGENT_PROXY_PASWORD, which means nothing. PTAGENT_PROXY_PASSWORD is probably meant. Those that do: PTAGENT_PROXY_PASSWORD."
    )
    #expect(EnvironmentNames.complaint(about: EnvironmentNames.hub, known: EnvironmentNames.hub) == nil)
    #expect(EnvironmentNames.complaint(about: [], known: EnvironmentNames.agent) == nil)
    #expect(EnvironmentNames.complaint(about: ["PTHUB_X"], known: EnvironmentNames.hub)?.contains("PTHUB_X") == true)
  }
}
