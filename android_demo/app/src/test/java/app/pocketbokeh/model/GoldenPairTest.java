package app.pocketbokeh.model;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import app.pocketbokeh.picture.NetworkInput;
import app.pocketbokeh.picture.Picture;
import app.pocketbokeh.picture.Planes;
import org.junit.Test;

/** An accelerator is wrong if its colours are right and its sharpness is not. */
public class GoldenPairTest {
    private static final BundledModel MODEL =
            new BundledModel("int8_qat", "m.tflite", 1, 1, "", 1, 0.1, 2);

    private static final GoldenPair PAIR =
            new GoldenPair(
                    new NetworkInput(new Picture(1, 1, new byte[3]), new byte[1]),
                    new Picture(1, 1, new byte[] {51, 51, 51}),
                    new Picture(1, 1, new byte[] {102, 102, 102}));

    private static Planes output(float... channels) {
        float[][] planes = new float[channels.length][];
        for (int channel = 0; channel < channels.length; channel++) {
            planes[channel] = new float[] {channels[channel]};
        }
        return new Planes(1, 1, planes);
    }

    @Test
    public void sharpnessIsComparedToo() {
        GoldenPair.Difference near = PAIR.differenceOf(output(0.2f, 0.2f, 0.2f, 108 / 255f));
        GoldenPair.Difference far = PAIR.differenceOf(output(0.2f, 0.2f, 0.2f, 109 / 255f));
        assertEquals(0, far.largestStep());
        assertEquals(7, far.sharpnessStep(), 1e-9);
        assertTrue(near.isCorrect(MODEL));
        assertFalse(far.isCorrect(MODEL));
        assertEquals(7, near.worseOf(far).sharpnessStep(), 1e-9);
    }

    @Test
    public void anOutputWithoutSharpnessIsWrong() {
        assertFalse(PAIR.differenceOf(output(0.2f, 0.2f, 0.2f)).isCorrect(MODEL));
    }
}
