package io.github.bts4j.cli;

import static io.github.bts4j.cli.Commands.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.bts4j.server.ServerPolicy;
import io.github.bts4j.server.ServerPolicy.Quota;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Policies in YAML and JSON, and what is wrong with them in one line. */
class PolicyFileTest {
    /** SHA-256 of bob-secret, by sha256sum. */
    private static final String BOB = "9f03ef1533a68d2f506f81ef463c1183a82a6bd40e45613f36e6fe1889cf1b99";

    @TempDir
    private Path folder;

    private ServerPolicy read(String name, String text) throws IOException {
        return PolicyFile.read(Files.writeString(folder.resolve(name), text));
    }

    @Test
    void yamlAndJson() throws IOException {
        ServerPolicy policy = read("policy.yaml", """
                keys:
                  - name: alice@example.com
                    key: alice-secret
                  - {name: bob, key: bob-secret, experts: [code, math], requests-per-minute: 60, tokens-per-minute: 10_000, concurrent-requests: 4}
                  - name: carol
                    sha256: "9F03EF1533A68D2F506F81EF463C1183A82A6BD40E45613F36E6FE1889CF1B9A"
                    experts: []
                """);
        assertEquals(3, policy.keys().size());
        assertEquals(Optional.empty(), policy.keys().get(0).experts());
        assertEquals(Quota.UNLIMITED, policy.keys().get(0).quota());
        assertEquals(new ServerPolicy.Key("bob", BOB, Optional.of(Set.of("code", "math")), new Quota(60, 10_000, 4)), policy.keys().get(1));
        assertEquals(Optional.of(Set.of()), policy.keys().get(2).experts());
        assertEquals(policy, read("policy.json", "{\"keys\":[{\"name\":\"alice@example.com\",\"key\":\"alice-secret\"},{\"name\":\"bob\",\"sha256\":\"" + BOB
                + "\",\"experts\":[\"math\",\"code\"],\"requests-per-minute\":60,\"tokens-per-minute\":10000,\"concurrent-requests\":4},{\"name\":\"carol\",\"sha256\":\""
                + BOB.replaceFirst("9$", "a") + "\",\"experts\":[]}]}"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            []                                              | a policy is a map with the key 'keys', a list
            {keys: x}                                       | a policy is a map with the key 'keys', a list
            {keys: [], more: 1}                             | a policy is a map with the key 'keys', a list
            {keys: []}                                      | keys is empty: a policy needs at least one key, otherwise nobody could use the server
            {keys: [a]}                                     | keys[0]: a map is needed, with name, key or sha256, and what the key may use
            {keys: [{key: s}]}                              | keys[0]: the key 'name' is missing
            {keys: [{name: a}]}                             | keys[0]: a needs either 'key', the secret itself, or 'sha256', its hash
            {keys: [{name: a, key: s, sha256: t}]}          | keys[0]: a needs either 'key', the secret itself, or 'sha256', its hash
            {keys: [{name: a, key: 12}]}                    | keys[0]: key = 12 must be text, in quotes if it looks like a number
            {keys: [{name: a, key: ''}]}                    | keys[0]: secret of 'a' is empty: give the key that clients send
            {keys: [{name: a, sha256: abc}]}                | keys[0]: sha256 of 'a' must be 64 hexadecimal digits, as sha256sum prints them
            {keys: [{name: a, key: s, experts: code}]}      | keys[0]: experts = "code" must be a list of names, [] for the hub alone; leave it out for all
            {keys: [{name: a, key: s, experts: [1]}]}       | keys[0]: experts = [1] must be a list of names, [] for the hub alone; leave it out for all
            {keys: [{name: a, key: s, tokens-per-minute: 0}]} | keys[0]: tokens-per-minute = 0 must be a whole number of at least 1; leave it out for no limit
            {keys: [{name: a, key: s, tokens-per-minute: 1.5}]} | keys[0]: tokens-per-minute = 1.5 must be a whole number of at least 1; leave it out for no limit
            {keys: [{name: a, key: s, token-per-minute: 1}]} | keys[0]: the key 'token-per-minute' is not known, did you mean
            {keys: [{name: a, key: s}, {name: a, key: t}]}  | keys has the name 'a' twice: give every key its own name
            {keys: [{name: a, key: s}, {name: b, key: s}]}  | keys has the secret of 'b' twice: give every client its own key
            {keys: [{name: &n a, key: *n}]}                 | anchors and aliases
            {keys: [                                        | policy.yaml:
            """)
    void wrongFiles(String yaml, String message) throws IOException {
        String found = assertThrows(IllegalArgumentException.class, () -> read("policy.yaml", yaml)).getMessage();
        assertEquals(1, found.lines().count(), found);
        org.junit.jupiter.api.Assertions.assertTrue(found.startsWith(folder.resolve("policy.yaml").toString()) && found.contains(message), found);
        refused(message, "serve", Commands.seed(folder.resolve("model")), "--policy", folder.resolve("policy.yaml"));
    }

    @Test
    void whatDoesNotFitTheModel() throws IOException {
        Path model = Commands.seed(folder.resolve("model"));
        refused("--policy: " + folder.resolve("none.yaml") + " is not a file", "serve", model, "--policy", folder.resolve("none.yaml"));
        read("policy.yaml", "keys: [{name: a, key: s, experts: [code]}]");
        refused("the key a names the expert code, but the model model has none", "serve", model, "--port", "0", "--policy", folder.resolve("policy.yaml"));
        refused("--expert-metrics = true: the model model is not a stitched model and has no experts to observe", "serve", model, "--port", "0", "--expert-metrics");
    }
}
