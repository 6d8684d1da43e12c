package app.pocketbokeh.model;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** A recipe on an accelerator, as one may choose it. */
public record Candidate(String recipe, Accelerator accelerator) {
    /** All that fit, likeliest first: floats suit GPUs, integers NPUs and CPUs. */
    public static List<Candidate> of(List<String> recipes) {
        List<Candidate> candidates = new ArrayList<>();
        for (String recipe : recipes) {
            candidates.add(
                    new Candidate(
                            recipe, isInteger(recipe) ? Accelerator.NNAPI : Accelerator.GPU));
            candidates.add(new Candidate(recipe, Accelerator.CPU));
        }
        candidates.sort(Comparator.comparingInt(Candidate::rank));
        return candidates;
    }

    private static boolean isInteger(String recipe) {
        return recipe.startsWith("int8");
    }

    private int rank() {
        return switch (accelerator) {
            case GPU -> 0;
            case NNAPI -> 1;
            case CPU -> isInteger(recipe) ? 2 : 3;
        };
    }

    /** Whether it is there for where nothing else is right: it is slow everywhere. */
    boolean isLastResort() {
        return rank() == 3;
    }

    /** As it is remembered: `float16/GPU`. */
    @Override
    public String toString() {
        return recipe + "/" + accelerator;
    }

    /** Reads what toString wrote; null for anything else. */
    public static Candidate parse(String text) {
        int slash = text.lastIndexOf('/');
        if (slash < 1) {
            return null;
        }
        try {
            return new Candidate(
                    text.substring(0, slash), Accelerator.valueOf(text.substring(slash + 1)));
        } catch (IllegalArgumentException error) {
            return null;
        }
    }
}
