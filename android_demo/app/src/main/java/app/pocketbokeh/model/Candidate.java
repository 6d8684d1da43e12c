package app.pocketbokeh.model;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** A recipe on an accelerator, which the user can choose. */
public record Candidate(String recipe, Accelerator accelerator) {
    /** All useful ones, the most promising first: GPUs prefer floats, NPUs and CPUs integers. */
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

    /** Whether it is slow everywhere, so that it is tried only if nothing else is correct. */
    boolean isLastResort() {
        return rank() == 3;
    }

    /** The stored form, such as `float16/GPU`. */
    @Override
    public String toString() {
        return recipe + "/" + accelerator;
    }

    /** Parses the stored form; null for anything else. */
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
