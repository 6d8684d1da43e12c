package app.pocketbokeh.model;

import android.app.ActivityManager;
import android.content.SharedPreferences;
import android.os.Process;
import java.util.ArrayList;
import java.util.List;

/**
 * Tries each candidate once, keeps the fastest that is right, and remembers.
 *
 * An accelerator's driver may take the whole app down. What is being tried is written down before;
 * where it is still written at the next start, the process ended meanwhile. What crashed it is left
 * aside; what it ended with for an unknown reason is tried once more.
 */
public final class AutoChoice {
    private static final String PHONE = "phone";
    private static final String FASTEST = "fastest";
    private static final String TRYING = "trying";
    private static final String TRYING_PROCESS = "trying process";
    private static final String TRYING_SINCE = "trying since";
    private static final String ENDS = "ends ";
    private static final String REASON = "reason ";
    private static final int RUNS = 3;

    private final SharedPreferences remembered;

    /**
     * Remembers for one phone.
     *
     * @param phone its build, the app's version and the bundle; with another, all is tried again
     * @param manager is asked how an earlier process ended
     */
    public AutoChoice(SharedPreferences remembered, String phone, ActivityManager manager) {
        this.remembered = remembered;
        if (!phone.equals(remembered.getString(PHONE, null))) {
            remembered.edit().clear().putString(PHONE, phone).commit();
        }
        String tried = remembered.getString(TRYING, null);
        if (tried != null) {
            int pid = remembered.getInt(TRYING_PROCESS, -1);
            judge(tried, ProcessEnd.of(manager, pid, remembered.getLong(TRYING_SINCE, 0)));
        }
    }

    private void judge(String tried, ProcessEnd end) {
        int ends = remembered.getInt(ENDS + tried, 0) + (end == ProcessEnd.UNKNOWN ? 1 : 0);
        if (end == ProcessEnd.CRASHED) {
            leaveAside(tried, "it stopped the app when it was tried");
        } else if (ends > 1) {
            leaveAside(tried, "the app ended twice while it was tried");
        } else {
            remembered.edit().putInt(ENDS + tried, ends).remove(TRYING).commit();
        }
    }

    /** Forgets which is fastest and why others were left aside. */
    public void forget() {
        String phone = remembered.getString(PHONE, "");
        remembered.edit().clear().putString(PHONE, phone).commit();
    }

    /** Why a candidate was left aside; empty if it was not. */
    public String reasonAgainst(Candidate candidate) {
        return remembered.getString(REASON + candidate, "");
    }

    /** The fastest that is right, if it was found before; null otherwise. */
    public Candidate fastest() {
        return Candidate.parse(remembered.getString(FASTEST, ""));
    }

    /**
     * Tries what was not tried yet.
     *
     * @param shape a model of the photo's shape stands for the others of its recipe
     * @return the fastest that is right
     * @throws AcceleratorException if none is; names every reason
     */
    public Candidate find(
            ModelBundle bundle, int[] shape, Trial.Opener opener, Trial.Cancelled cancelled)
            throws AcceleratorException {
        Candidate fastest = null;
        double least = Double.MAX_VALUE;
        List<String> reasons = new ArrayList<>();
        for (Candidate candidate : Candidate.of(bundle.recipes())) {
            boolean needed = !(candidate.isLastResort() && fastest != null);
            if (needed && !cancelled.isCancelled() && reasonAgainst(candidate).isEmpty()) {
                BundledModel model = bundle.nearestShape(candidate.recipe(), shape[0], shape[1]);
                Trial trial = attempt(bundle, model, candidate, opener, cancelled);
                if (trial.isRight() && trial.milliseconds() < least) {
                    fastest = candidate;
                    least = trial.milliseconds();
                }
            }
            reasons.add(candidate + ": " + reasonAgainst(candidate));
        }
        if (fastest == null) {
            throw new AcceleratorException(String.join("; ", reasons), null);
        }
        if (!cancelled.isCancelled()) {
            remembered.edit().putString(FASTEST, fastest.toString()).apply();
        }
        return fastest;
    }

    private Trial attempt(
            ModelBundle bundle,
            BundledModel model,
            Candidate candidate,
            Trial.Opener opener,
            Trial.Cancelled cancelled) {
        // Written at once: a crash leaves no time.
        remembered
                .edit()
                .putString(TRYING, candidate.toString())
                .putInt(TRYING_PROCESS, Process.myPid())
                .putLong(TRYING_SINCE, System.currentTimeMillis())
                .commit();
        Trial trial;
        try {
            trial = Trial.of(bundle, model, candidate.accelerator(), opener, RUNS, cancelled);
        } finally {
            remembered.edit().remove(TRYING).remove(ENDS + candidate).commit();
        }
        if (!trial.isRight()) {
            leaveAside(candidate.toString(), trial.reason());
        }
        return trial;
    }

    /** Leaves a candidate aside from now on, such as one that failed on a photo. */
    public void leaveAside(String candidate, String reason) {
        SharedPreferences.Editor edit =
                remembered.edit().putString(REASON + candidate, reason).remove(TRYING);
        if (candidate.equals(remembered.getString(FASTEST, null))) {
            edit.remove(FASTEST);
        }
        edit.commit();
    }
}
