package io.github.bts4j.cli;

import static io.github.bts4j.cli.Commands.bts;
import static io.github.bts4j.cli.Commands.done;
import static io.github.bts4j.cli.Commands.refused;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.core.checkpoint.FolderContent;
import io.github.bts4j.core.checkpoint.ModelFingerprint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Conversations as training data of the commands. */
class ChatTrainingTest {
    private static final String TEMPLATE = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";

    @TempDir
    static Path folder;

    private static Path seed;
    private static Path chat;
    private static Path template;

    @BeforeAll
    static void prepare() throws IOException {
        seed = Commands.seed(folder.resolve("seed"), 2);
        StringBuilder rows = new StringBuilder();
        for (int i = 0; i < 40; i++) {
            rows.append("{\"messages\": [{\"role\": \"user\", \"content\": \"What is ").append(i).append(" and one?\"}, {\"role\": \"assistant\", \"content\": \"It is ").append(i + 1).append(".\"}]}\n");
        }
        rows.append("{\"messages\": [{\"role\": \"user\", \"content\": \"Nobody answers\"}]}\n");
        chat = Files.writeString(folder.resolve("chat.jsonl"), rows);
        template = Files.writeString(folder.resolve("template.jinja"), TEMPLATE);
    }

    private static Object[] training(Path out, int steps, Object... more) {
        List<Object> words = new java.util.ArrayList<>(List.of("train", seed, "--data", "chat=" + chat, "--chat-template", template, "--steps", steps, "--batch", "2", "--accumulation", "2",
                "--sequence", "64", "--hold-out", "5", "--validate-every", "2", "--save-every", "2", "--warmup", "1", "--out", out));
        words.addAll(List.of(more));
        return words.toArray();
    }

    @Test
    void anExpertLearnsConversations() throws IOException {
        Path expert = folder.resolve("expert");
        String told = done(training(expert, 4)).err();
        assertTrue(told.contains("Domain 'chat': 32 conversations in "), told);
        assertTrue(told.contains("; 1 more left out: no token of theirs counts"), told);
        assertEquals(TEMPLATE, Files.readString(expert.resolve("chat_template.jinja")));
        List<String> metrics = Files.readAllLines(folder.resolve("expert-run/metrics.jsonl"));
        assertTrue(metrics.stream().anyMatch(line -> line.contains("\"chat\"")), metrics.toString());

        Path cached = folder.resolve("cached");
        done(training(cached, 4, "--token-cache", folder.resolve("tokens")));
        assertEquals(ModelFingerprint.sha256(expert.resolve("model.safetensors")), ModelFingerprint.sha256(cached.resolve("model.safetensors")));

        String scored = done("eval", expert, "--data", "chat=" + chat, "--sequence", "64").out();
        assertTrue(scored.contains("chat"), scored);
        refused("holds conversations, each of which is scored by itself", "eval", expert, "--data", "chat=" + chat, "--sequence", "64", "--by-document");
        refused("begins with another", "train", seed, "--data", "chat=" + chat, "--format", "jsonl", "--out", folder.resolve("text"), "--field", "begins with another");
        stitchesLearnConversations(expert);
    }

    private static void stitchesLearnConversations(Path expert) throws IOException {
        Path stitched = folder.resolve("stitched");
        Object[] stitching = {"stitch", seed, "--expert", "chat=" + expert, "--stitches", "2", "--data", "chat=" + chat, "--chat-template", template, "--steps", "2", "--batch", "2", "--sequence", "64",
            "--warmup", "1", "--out", stitched};
        String told = done(stitching).err();
        assertTrue(told.contains("Warning: Expert 'chat' has a chat template and the hub has none"), told);
        assertTrue(told.contains("Domain 'chat': 40 conversations in "), told);
        Path further = folder.resolve("further");
        done("train-stitches", stitched, "--data", "chat=" + chat, "--chat-template", template, "--frozen-state-cache", folder.resolve("prefix"), "--steps", "2", "--batch", "2", "--sequence", "64",
                "--warmup", "1", "--out", further);
        assertNotEquals(FolderContent.of(stitched), FolderContent.of(further));
    }

    @Test
    void withoutATemplateConversationsAreRefused() {
        refused("has no chat template to render them by: --chat-template gives one", "train", seed, "--data", "chat=" + chat, "--out", folder.resolve("none"));
        refused("is no file: give a Jinja template", "train", seed, "--data", "chat=" + chat, "--chat-template", folder.resolve("nowhere"), "--out", folder.resolve("none"));
        refused("in sequences of 4 tokens none has a token of the assistant's that counts", "train", seed, "--data", "chat=" + chat, "--chat-template", template, "--sequence", "4", "--out", folder.resolve("none"));
    }

    @Test
    void anotherTemplateAndOtherEndTokensAreTold() throws IOException {
        Path hub = folder.resolve("hub");
        Path same = folder.resolve("same");
        Path other = folder.resolve("other");
        for (Path model : List.of(hub, same, other)) {
            bts("convert", seed, model);
            Files.writeString(model.resolve("chat_template.jinja"), model.equals(other) ? "x" + TEMPLATE : TEMPLATE);
        }
        Files.writeString(other.resolve("generation_config.json"), "{\"eos_token_id\": [1, 2]}");
        assertEquals(List.of(), ChatAgreement.warnings(hub, "same", same));
        List<String> warnings = ChatAgreement.warnings(hub, "law", other);
        assertEquals(2, warnings.size(), warnings.toString());
        assertTrue(warnings.get(0).startsWith("Expert 'law' has another chat template than the hub"), warnings.get(0));
        assertTrue(warnings.get(1).startsWith("Expert 'law' ends texts with <|begin|> (1), <|end|> (2) and the hub with <|end|> (2): the stitched model stops at the hub's"), warnings.get(1));
        assertFalse(warnings.toString().contains("\n"));
    }
}
