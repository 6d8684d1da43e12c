package app.pocketbokeh.picture;

import java.util.ArrayList;
import java.util.List;

/**
 * Computes an overlay that applies a rendering of working size to a photo of any size and keeps the
 * photo's own detail where it stays sharp. A port of `pocket_bokeh/detail_transfer.py`, which
 * explains it. Tests compare the constants, and the results to within one 8-bit step.
 *
 * <p>With x the photo at working size, y its rendering and m, 0…1, the share of x's detail that
 * survives in y, the result is up(m) · photo + up(y − m · x). If the network predicts sharpness, m
 * follows from that; otherwise it is measured.
 */
public final class DetailTransfer {
    private static final double WINDOW_SIGMA = 2.0;
    private static final float REGULARISER = 1e-5f;
    private static final double TONE_SIGMA = 4.0;
    private static final double LOW_PASS_SIGMA = 1.0;
    private static final double HIGH_PASS_SIGMA = 1.6;
    private static final float BLURRED = 0.4f;
    private static final float SHARP = 0.5f;
    private static final float CERTAINTY = 1e-4f;
    private static final float LEAST_CERTAINTY = 1e-3f;
    private static final double SMOOTHING_SIGMA = 2.0;
    private static final int BORDER = 12;

    private final int height;
    private final int width;

    private DetailTransfer(int height, int width) {
        this.height = height;
        this.width = width;
    }

    /**
     * Averages the overlays of all views of a photo.
     *
     * @param renderings one for each view, of the working size, 0…1, all with sharpness or none
     */
    public static Overlay mean(List<Framed> views, List<Planes> renderings) {
        List<Planes> rendered = new ArrayList<>();
        for (int view = 0; view < views.size(); view++) {
            rendered.add(views.get(view).upright(renderings.get(view)));
        }
        if (rendered.get(0).hasSharpness()) {
            rendered = withMeanSharpness(rendered);
        }
        List<Overlay> overlays = new ArrayList<>();
        for (int view = 0; view < views.size(); view++) {
            Planes small = views.get(view).upright(views.get(view).picture().toPlanes());
            overlays.add(find(small, rendered.get(view)));
        }
        return Overlay.mean(overlays);
    }

    /** Gives each view the mean of what all predict; where they differ, they would half blur. */
    private static List<Planes> withMeanSharpness(List<Planes> rendered) {
        int height = rendered.get(0).height();
        int width = rendered.get(0).width();
        float[] mean = new float[height * width];
        for (Planes view : rendered) {
            float[] resized =
                    Bicubic.resize(view.channel(3), view.height(), view.width(), height, width);
            for (int pixel = 0; pixel < mean.length; pixel++) {
                mean[pixel] += resized[pixel] / rendered.size();
            }
        }
        List<Planes> result = new ArrayList<>();
        for (Planes view : rendered) {
            float[] resized = Bicubic.resize(mean, height, width, view.height(), view.width());
            result.add(view.withSharpness(resized));
        }
        return result;
    }

    /**
     * Computes the overlay of one rendering.
     *
     * @param small the photo at working size
     * @param rendered its rendering, 0…1
     */
    private static Overlay find(Planes small, Planes rendered) {
        return new DetailTransfer(small.height(), small.width()).overlay(small, rendered);
    }

    private Overlay overlay(Planes small, Planes rendered) {
        float[] survival =
                rendered.hasSharpness()
                        ? PredictedSharpness.sharpShare(small, rendered.channel(3))
                        : survivingDetail(small, rendered);
        Planes change = highPass(map(rendered, small, (y, x) -> y - x), TONE_SIGMA);
        Planes smoothed = smoothBackground(rendered, survival);
        Planes offset = new Planes(height, width);
        for (int channel = 0; channel < 3; channel++) {
            float[] x = small.channel(channel);
            float[] y = smoothed.channel(channel);
            float[] twice = change.channel(channel);
            float[] result = offset.channel(channel);
            for (int pixel = 0; pixel < result.length; pixel++) {
                // Without this the rendering's own fine detail would be added twice.
                result[pixel] = y[pixel] - survival[pixel] * (twice[pixel] + x[pixel]);
            }
        }
        return new Overlay(height, width, survival, offset);
    }

    /** Smooths what is blurred, without drawing in colours of what is sharp. */
    private Planes smoothBackground(Planes rendered, float[] survival) {
        float[] weight = new float[survival.length];
        for (int pixel = 0; pixel < weight.length; pixel++) {
            weight[pixel] = 1 - survival[pixel] + LEAST_CERTAINTY;
        }
        float[] total = smoothing(weight);
        Planes result = new Planes(height, width);
        for (int channel = 0; channel < 3; channel++) {
            float[] y = rendered.channel(channel);
            float[] weighted = new float[y.length];
            for (int pixel = 0; pixel < y.length; pixel++) {
                weighted[pixel] = weight[pixel] * y[pixel];
            }
            weighted = smoothing(weighted);
            float[] plane = result.channel(channel);
            for (int pixel = 0; pixel < y.length; pixel++) {
                float low = weighted[pixel] / total[pixel];
                plane[pixel] = y[pixel] + (1 - survival[pixel]) * (low - y[pixel]);
            }
        }
        return result;
    }

    private float[] smoothing(float[] plane) {
        return GaussianFilter.gaussian(plane, height, width, SMOOTHING_SIGMA);
    }

    private float[] survivingDetail(Planes small, Planes rendered) {
        Planes before = highPass(lowPass(asTheNetworkSees(small)), HIGH_PASS_SIGMA);
        Planes after = highPass(lowPass(rendered), HIGH_PASS_SIGMA);
        float[] common = localProduct(before, after);
        float[] energy = localProduct(before, before);
        float[] certainty = new float[energy.length];
        float[] weight = new float[energy.length];
        for (int pixel = 0; pixel < common.length; pixel++) {
            common[pixel] = (float) clip(common[pixel] / (energy[pixel] + REGULARISER));
            certainty[pixel] = energy[pixel] / (energy[pixel] + CERTAINTY);
            weight[pixel] = Math.max(certainty[pixel], LEAST_CERTAINTY);
        }
        float[] measured = smooth(common);
        float[] share = GuidedFilter.filter(measured, weight, small);
        for (int pixel = 0; pixel < share.length; pixel++) {
            // The filter calls background sharp that has the colour of the subject beside it.
            share[pixel] -= certainty[pixel] * Math.max(share[pixel] - measured[pixel], 0);
        }
        return withoutBorder(gated(share, BLURRED, SHARP));
    }

    /** A smoothstep: 0 at and below `blurred`, 1 at and above `sharp`. */
    private static float[] gated(float[] values, float blurred, float sharp) {
        float[] result = new float[values.length];
        for (int pixel = 0; pixel < values.length; pixel++) {
            float step = (float) clip((values[pixel] - blurred) / (sharp - blurred));
            result[pixel] = step * step * (3 - 2 * step);
        }
        return result;
    }

    /** Extends the inner values over the border, where a network leaves a sharp rim. */
    private float[] withoutBorder(float[] plane) {
        float[] result = new float[plane.length];
        for (int row = 0; row < height; row++) {
            int from = inner(row, height) * width;
            for (int column = 0; column < width; column++) {
                result[row * width + column] = plane[from + inner(column, width)];
            }
        }
        return result;
    }

    private static int inner(int position, int length) {
        int border = Math.min(BORDER, (length - 1) / 2);
        return Math.max(border, Math.min(length - 1 - border, position));
    }

    /** Halves a picture and doubles it the way the network doubles what it does not blur. */
    private Planes asTheNetworkSees(Planes picture) {
        int halfHeight = (height + 1) / 2;
        int halfWidth = (width + 1) / 2;
        float[][] channels = new float[3][];
        for (int channel = 0; channel < 3; channel++) {
            float[] half =
                    Bicubic.resize(picture.channel(channel), height, width, halfHeight, halfWidth);
            float[] doubled = new float[height * width];
            for (int row = 0; row < height; row++) {
                for (int column = 0; column < width; column++) {
                    doubled[row * width + column] = half[row / 2 * halfWidth + column / 2];
                }
            }
            channels[channel] = GaussianFilter.box(doubled, height, width);
        }
        return new Planes(height, width, channels);
    }

    /** Removes the finest detail: a network invents it, and int8 rounding noise is that fine. */
    private Planes lowPass(Planes picture) {
        float[][] channels = new float[3][];
        for (int channel = 0; channel < 3; channel++) {
            float[] plane = picture.channel(channel);
            channels[channel] = GaussianFilter.gaussian(plane, height, width, LOW_PASS_SIGMA);
        }
        return new Planes(height, width, channels);
    }

    private Planes highPass(Planes picture, double sigma) {
        float[][] channels = new float[3][];
        for (int channel = 0; channel < 3; channel++) {
            float[] plane = picture.channel(channel);
            float[] low = GaussianFilter.gaussian(plane, height, width, sigma);
            for (int pixel = 0; pixel < low.length; pixel++) {
                low[pixel] = plane[pixel] - low[pixel];
            }
            channels[channel] = low;
        }
        return new Planes(height, width, channels);
    }

    private float[] localProduct(Planes one, Planes other) {
        float[] sum = new float[height * width];
        for (int channel = 0; channel < 3; channel++) {
            float[] left = one.channel(channel);
            float[] right = other.channel(channel);
            for (int pixel = 0; pixel < sum.length; pixel++) {
                sum[pixel] += left[pixel] * right[pixel];
            }
        }
        return smooth(sum);
    }

    private float[] smooth(float[] plane) {
        return GaussianFilter.gaussian(plane, height, width, WINDOW_SIGMA);
    }

    private interface OfTwo {
        float apply(float one, float other);
    }

    private Planes map(Planes one, Planes other, OfTwo function) {
        Planes result = new Planes(height, width);
        for (int channel = 0; channel < 3; channel++) {
            float[] left = one.channel(channel);
            float[] right = other.channel(channel);
            float[] plane = result.channel(channel);
            for (int pixel = 0; pixel < plane.length; pixel++) {
                plane[pixel] = function.apply(left[pixel], right[pixel]);
            }
        }
        return result;
    }

    private static double clip(double value) {
        return Math.max(0, Math.min(1, value));
    }
}
