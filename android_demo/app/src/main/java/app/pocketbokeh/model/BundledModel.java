package app.pocketbokeh.model;

/**
 * One model of the bundle.
 *
 * @param height of the rendering; the input is half as high
 * @param width of the rendering
 * @param largestStep largest difference from the golden output when exported, in 8-bit levels
 * @param meanStep mean difference then
 * @param sharpnessStep mean difference of predicted sharpness then; 0 if it is not predicted
 */
public record BundledModel(
        String recipe,
        String file,
        int height,
        int width,
        String sha256,
        double largestStep,
        double meanStep,
        double sharpnessStep) {}
