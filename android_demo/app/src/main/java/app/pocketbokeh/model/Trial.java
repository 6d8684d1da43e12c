package app.pocketbokeh.model;

import app.pocketbokeh.picture.Planes;
import java.io.IOException;
import java.util.Arrays;
import org.json.JSONException;
import org.json.JSONObject;

/**
 * How a model did on an accelerator of this phone.
 *
 * @param reason why it is left aside; empty where it is right
 * @param milliseconds median after a warm-up; 0 where it did not run
 * @param difference to the golden output; null where it did not run
 */
public record Trial(
        BundledModel model,
        Accelerator accelerator,
        String reason,
        double milliseconds,
        GoldenPair.Difference difference) {

    /** Opens a model on an accelerator: `TfliteRenderer::open`, or what stands for it in a test. */
    public interface Opener {
        Renderer open(java.nio.ByteBuffer model, Accelerator accelerator)
                throws AcceleratorException;
    }

    /** Asked between two runs. */
    public interface Cancelled {
        boolean isCancelled();
    }

    public boolean isRight() {
        return reason.isEmpty();
    }

    /** Runs a model once, holds it against the golden pair, and times it if it is right. */
    public static Trial of(
            ModelBundle bundle,
            BundledModel model,
            Accelerator accelerator,
            Opener opener,
            int runs,
            Cancelled cancelled) {
        try {
            GoldenPair golden = bundle.golden(model);
            try (Renderer renderer = opener.open(bundle.content(model), accelerator)) {
                Planes rendered = renderer.render(golden.input());
                GoldenPair.Difference difference = golden.compare(rendered);
                if (!difference.isRight(model)) {
                    return new Trial(model, accelerator, "computes wrongly", 0, difference);
                }
                double time = median(renderer, golden, runs, cancelled);
                return new Trial(model, accelerator, "", time, difference);
            }
        } catch (AcceleratorException | IOException | RuntimeException error) {
            // A delegate may throw anything, and what it says may be nothing.
            String said = error.getMessage();
            String reason = said == null ? error.getClass().getSimpleName() : said;
            return new Trial(model, accelerator, reason, 0, null);
        }
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

    /** As the proof writes it. */
    public JSONObject toJson() throws JSONException {
        JSONObject entry = new JSONObject();
        entry.put("recipe", model.recipe());
        entry.put("file", model.file());
        entry.put("sha256", model.sha256());
        entry.put("accelerator", accelerator.name());
        entry.put("runs", isRight());
        entry.put("reason", reason);
        if (difference != null) {
            entry.put("largest_step", difference.largestStep());
            entry.put("mean_step", difference.meanStep());
            entry.put("psnr", difference.psnr());
        }
        if (isRight()) {
            entry.put("milliseconds", milliseconds);
        }
        return entry;
    }
}
