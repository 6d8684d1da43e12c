package app.pocketbokeh.model;

import app.pocketbokeh.picture.NetworkInput;
import app.pocketbokeh.picture.Picture;
import app.pocketbokeh.picture.Planes;

/** A network input and the output of the float network it was exported from. */
public record GoldenPair(NetworkInput input, Picture output) {
    /**
     * The difference between two pictures.
     *
     * @param largestStep in 8-bit levels
     * @param meanStep in 8-bit levels
     * @param psnr in dB
     */
    public record Difference(int largestStep, double meanStep, double psnr) {
        private static final double MEAN_TOLERANCE = 1.0;
        private static final int LARGEST_TOLERANCE = 12;

        /**
         * Whether a model gives the result that it gave when it was exported. Accelerators round
         * differently: half precision is off by a few levels at edges. A wrong result is off by far
         * more.
         */
        public boolean isCorrect(BundledModel model) {
            return meanStep <= model.meanStep() + MEAN_TOLERANCE
                    && largestStep <= model.largestStep() + LARGEST_TOLERANCE;
        }

        /** The worse of two, figure by figure. */
        Difference worseOf(Difference other) {
            return new Difference(
                    Math.max(largestStep, other.largestStep),
                    Math.max(meanStep, other.meanStep),
                    Math.min(psnr, other.psnr));
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
        return new Difference(largest, mean, psnr);
    }
}
