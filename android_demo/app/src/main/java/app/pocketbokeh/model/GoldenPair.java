package app.pocketbokeh.model;

import app.pocketbokeh.picture.NetworkInput;
import app.pocketbokeh.picture.Picture;
import app.pocketbokeh.picture.Planes;

/**
 * A network input and the output of the float network it was exported from.
 *
 * @param sharpness predicted sharpness, as a grey picture; null if the network does not predict it
 */
public record GoldenPair(NetworkInput input, Picture output, Picture sharpness) {
    /**
     * The difference between two outputs.
     *
     * @param largestStep of the colours, in 8-bit levels
     * @param meanStep of the colours, in 8-bit levels
     * @param psnr of the colours, in dB
     * @param sharpnessStep mean of predicted sharpness, in 8-bit levels
     */
    public record Difference(int largestStep, double meanStep, double psnr, double sharpnessStep) {
        private static final double MEAN_TOLERANCE = 1.0;
        private static final double SHARPNESS_TOLERANCE = 4.0;
        private static final int LARGEST_TOLERANCE = 12;

        /**
         * Whether a model gives the result that it gave when it was exported. Accelerators round
         * differently: half precision is off by a few levels at edges. A wrong result is off by far
         * more.
         */
        public boolean isCorrect(BundledModel model) {
            return meanStep <= model.meanStep() + MEAN_TOLERANCE
                    && sharpnessStep <= model.sharpnessStep() + SHARPNESS_TOLERANCE
                    && largestStep <= model.largestStep() + LARGEST_TOLERANCE;
        }

        /** The worse of two, figure by figure. */
        Difference worseOf(Difference other) {
            return new Difference(
                    Math.max(largestStep, other.largestStep),
                    Math.max(meanStep, other.meanStep),
                    Math.min(psnr, other.psnr),
                    Math.max(sharpnessStep, other.sharpnessStep));
        }
    }

    /** Measures how far a rendering of the input is from the output. */
    public Difference differenceOf(Planes rendered) {
        long sum = 0;
        long squares = 0;
        int largest = 0;
        byte[] expected = output.rgb();
        for (int channel = 0; channel < 3; channel++) {
            float[] plane = rendered.channel(channel);
            for (int pixel = 0; pixel < plane.length; pixel++) {
                int code = (int) Math.rint(plane[pixel] * 255.0);
                int step = Math.abs(code - (expected[3 * pixel + channel] & 0xff));
                largest = Math.max(largest, step);
                sum += step;
                squares += (long) step * step;
            }
        }
        double mean = (double) sum / expected.length;
        double psnr = 10 * Math.log10(255.0 * 255.0 * expected.length / Math.max(1, squares));
        return new Difference(largest, mean, psnr, sharpnessStep(rendered));
    }

    private double sharpnessStep(Planes rendered) {
        if (sharpness == null) {
            return 0;
        }
        if (!rendered.hasSharpness()) {
            return 255; // not this bundle's model
        }
        byte[] expected = sharpness.rgb();
        float[] plane = rendered.channel(3);
        long sum = 0;
        for (int pixel = 0; pixel < plane.length; pixel++) {
            int code = (int) Math.rint(plane[pixel] * 255.0);
            sum += Math.abs(code - (expected[3 * pixel] & 0xff));
        }
        return (double) sum / plane.length;
    }
}
