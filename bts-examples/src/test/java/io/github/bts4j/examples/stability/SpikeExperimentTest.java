package io.github.bts4j.examples.stability;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bts4j.examples.stability.SpikeExperiment.Outcome;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The spike comes, is announced, and is survived, as docs/stability.md says. */
@Tag("slow")
class SpikeExperimentTest {
    @Test
    void theSpikeIsAnnouncedAndSurvived() throws IOException {
        List<Outcome> outcomes = SpikeExperiment.run(3, System.err);
        Outcome undamaged = outcomes.get(0);
        Outcome plain = outcomes.get(1);
        Outcome rewound = outcomes.get(2);
        assertEquals(-1, undamaged.firstSpike());
        assertTrue(undamaged.highest() < 1.5, "highest loss of the undamaged run " + undamaged.highest());
        assertTrue(plain.highest() > 4, "the spike outlives the damaged batches: " + plain.highest());
        assertTrue(plain.firstWarning() > 0 && plain.firstWarning() < plain.firstSpike(), plain.firstWarning() + " before " + plain.firstSpike());
        assertTrue(rewound.highest() < 1.5, "highest loss behind the rewind " + rewound.highest());
        assertEquals(undamaged.finalLoss(), rewound.finalLoss(), 0.02 * undamaged.finalLoss());
    }
}
