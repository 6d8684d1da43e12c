package app.pocketbokeh.model;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.json.JSONException;
import org.json.JSONObject;

/**
 * The result of running a model on an accelerator of this phone.
 *
 * @param reason why it cannot be used; empty if it is correct
 * @param milliseconds median after a warm-up; 0 if it was not measured
 * @param difference from the golden output; null if it did not run
 */
public record Trial(
        BundledModel model,
        Accelerator accelerator,
        String reason,
        double milliseconds,
        GoldenPair.Difference difference) {
    static final String WRONG = "gives wrong results";

    /** Opens a model on an accelerator; tests replace it. */
    public interface Opener {
        Renderer open(java.nio.ByteBuffer model, Accelerator accelerator)
                throws AcceleratorException;
    }

    /** Is asked between two runs. */
    public interface Cancelled {
        boolean isCancelled();
    }

    public boolean isCorrect() {
        return reason.isEmpty();
    }

    /** Whether it ran, but its results are too far from the golden outputs. */
    public boolean isWrong() {
        return reason.equals(WRONG);
    }

    /** Runs a model once, compares the result with the golden pair, and times it if correct. */
    public static Trial of(
            ModelBundle bundle,
            BundledModel model,
            Accelerator accelerator,
            Opener opener,
            int runs,
            Cancelled cancelled) {
        try {
            List<GoldenPair> golden = bundle.golden(model);
            try (Renderer renderer = opener.open(bundle.content(model), accelerator)) {
                GoldenPair.Difference difference = worst(renderer, golden);
                if (!difference.isCorrect(model)) {
                    return new Trial(model, accelerator, WRONG, 0, difference);
                }
                double time = median(renderer, golden.get(0), runs, cancelled);
                return new Trial(model, accelerator, "", time, difference);
            }
        } catch (AcceleratorException | IOException | RuntimeException error) {
            // A delegate may throw anything, even without a message.
            String said = error.getMessage();
            String reason = said == null ? error.getClass().getSimpleName() : said;
            return new Trial(model, accelerator, reason, 0, null);
        }
    }

    /**
     * Checks a renderer that was just opened, before it renders anything that is shown.
     *
     * @throws AcceleratorException if it gives wrong results
     * @throws IOException if the golden pairs are missing or damaged
     */
    public static void check(ModelBundle bundle, BundledModel model, Renderer renderer)
            throws AcceleratorException, IOException {
        if (!worst(renderer, bundle.golden(model)).isCorrect(model)) {
            throw new AcceleratorException(WRONG, null);
        }
    }

    /** The largest differences from any golden pair. */
    private static GoldenPair.Difference worst(Renderer renderer, List<GoldenPair> golden)
            throws AcceleratorException {
        GoldenPair.Difference worst = null;
        for (GoldenPair pair : golden) {
            GoldenPair.Difference found = pair.differenceOf(renderer.render(pair.input()));
            worst = worst == null ? found : worst.worseOf(found);
        }
        return worst;
    }

    private static double median(
            Renderer renderer, GoldenPair golden, int runs, Cancelled cancelled)
            throws AcceleratorException {
        double[] times = new double[runs];
        int done = 0;
        while (done < runs && !(done > 0 && cancelled.isCancelled())) {
            long started = System.nanoTime();
            renderer.render(golden.input());
            times[done++] = (System.nanoTime() - started) / 1e6;
        }
        Arrays.sort(times, 0, done);
        return done % 2 == 1 ? times[done / 2] : (times[done / 2 - 1] + times[done / 2]) / 2;
    }

    /** The entry in proof.json. */
    public JSONObject toJson() throws JSONException {
        JSONObject entry = new JSONObject();
        entry.put("recipe", model.recipe());
        entry.put("file", model.file());
        entry.put("sha256", model.sha256());
        entry.put("accelerator", accelerator.name());
        entry.put("runs", isCorrect());
        entry.put("reason", reason);
        if (difference != null) {
            entry.put("largest_step", difference.largestStep());
            entry.put("mean_step", difference.meanStep());
            entry.put("psnr", difference.psnr());
            entry.put("sharpness_mean_step", difference.sharpnessStep());
        }
        if (isCorrect()) {
            entry.put("milliseconds", milliseconds);
        }
        return entry;
    }
}
