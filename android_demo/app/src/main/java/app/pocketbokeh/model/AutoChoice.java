package app.pocketbokeh.model;

import android.app.ActivityManager;
import android.content.SharedPreferences;
import android.os.Process;
import java.util.ArrayList;
import java.util.List;

/**
 * Tries each candidate once, chooses the fastest that gives correct results, and remembers it.
 *
 * <p>An accelerator's driver can crash the whole app. So the candidate is stored before it is tried.
 * If it is still stored at the next start, the process ended during the trial. A candidate that
 * crashed the process is excluded; one whose process ended for an unknown reason gets a second try.
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
     * Reads what was remembered.
     *
     * @param phone the phone's build, the app's version and the bundle; when it changes, everything
     *     is tried again
     * @param manager tells how an earlier process ended
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
            exclude(tried, "it crashed the app when it was tried");
        } else if (ends > 1) {
            exclude(tried, "the app ended twice while it was tried");
        } else {
            remembered.edit().putInt(ENDS + tried, ends).remove(TRYING).commit();
        }
    }

    /** Forgets which is fastest and which are excluded. */
    public void forget() {
        String phone = remembered.getString(PHONE, "");
        remembered.edit().clear().putString(PHONE, phone).commit();
    }

    /** Why a candidate is excluded; empty if it is not. */
    public String reasonAgainst(Candidate candidate) {
        return remembered.getString(REASON + candidate, "");
    }

    /** Whether a candidate was excluded because its results are wrong. */
    public boolean isWrong(Candidate candidate) {
        return reasonAgainst(candidate).equals(Trial.WRONG);
    }

    /** The fastest correct candidate, if it was found before; else null. */
    public Candidate fastest() {
        return Candidate.parse(remembered.getString(FASTEST, ""));
    }

    /**
     * Tries every candidate that is not excluded.
     *
     * @param shape height and width of the photo; of each recipe only the model nearest in shape is
     *     tried
     * @return the fastest correct one
     * @throws AcceleratorException if none gives correct results; names every reason
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
                if (trial.isCorrect() && trial.milliseconds() < least) {
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
        // commit, not apply: a crash leaves no time to write later.
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
        if (!trial.isCorrect()) {
            exclude(candidate.toString(), trial.reason());
        }
        return trial;
    }

    /** Excludes a candidate from now on, for example one that failed on a photo. */
    public void exclude(String candidate, String reason) {
        SharedPreferences.Editor edit =
                remembered.edit().putString(REASON + candidate, reason).remove(TRYING);
        if (candidate.equals(remembered.getString(FASTEST, null))) {
            edit.remove(FASTEST);
        }
        edit.commit();
    }
}
