package app.pocketbokeh.model;

/**
 * One model of the bundle.
 *
 * @param height of the rendering; the input is half as high
 * @param width of the rendering
 * @param largestStep largest difference to the golden output in the workshop, in steps of 255
 * @param meanStep mean difference there
 */
public record BundledModel(
        String recipe,
        String file,
        int height,
        int width,
        String sha256,
        double largestStep,
        double meanStep) {}
