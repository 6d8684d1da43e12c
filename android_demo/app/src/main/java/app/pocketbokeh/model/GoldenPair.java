package app.pocketbokeh.model;

import app.pocketbokeh.picture.Picture;
import app.pocketbokeh.picture.Planes;

/** A network input and what the float network of the workshop makes of it. */
public record GoldenPair(Picture input, Picture output) {
    /** In steps of 255; mean square too, for the PSNR. */
    public record Difference(int largestStep, double meanStep, double psnr) {
        private static final double MEAN_TOLERANCE = 1.0;
        private static final int LARGEST_TOLERANCE = 12;

        /**
         * Whether a model computes here what it computed in the workshop. An accelerator rounds
         * differently, in half precision by some steps at an edge; one that is wrong is wrong by
         * far.
         */
        public boolean isRight(BundledModel model) {
            return meanStep <= model.meanStep() + MEAN_TOLERANCE
                    && largestStep <= model.largestStep() + LARGEST_TOLERANCE;
        }
    }

    /** Holds a rendering of the input against the output. */
    public Difference compare(Planes rendered) {
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
