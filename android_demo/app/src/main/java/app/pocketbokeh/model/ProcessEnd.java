package app.pocketbokeh.model;

import android.app.ActivityManager;
import android.app.ApplicationExitInfo;
import android.os.Build;
import android.system.OsConstants;
import app.pocketbokeh.FromApi;
import java.util.Set;

/** Why an earlier process of the app ended while an accelerator was tried. */
enum ProcessEnd {
    /** Native code crashed, so the driver is at fault. */
    CRASHED,
    /** Not the driver's fault: for example, the user swiped the app away. */
    STOPPED,
    /** Unknown: Android is older than 11, or the trial seems to have hung. */
    UNKNOWN;

    /** Milliseconds after which a trial counts as hung. */
    private static final long LONGEST_TRIAL = 60_000;

    private static final int EVERY = 0;

    private static final Set<Integer> CRASHES =
            Set.of(
                    OsConstants.SIGABRT,
                    OsConstants.SIGBUS,
                    OsConstants.SIGFPE,
                    OsConstants.SIGILL,
                    OsConstants.SIGSEGV,
                    OsConstants.SIGSYS,
                    OsConstants.SIGTRAP);

    /**
     * Asks Android.
     *
     * @param pid of the process
     * @param began when the trial began, in milliseconds since 1970
     */
    static ProcessEnd of(ActivityManager manager, int pid, long began) {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
            return ask(manager, pid, began);
        }
        return UNKNOWN;
    }

    @FromApi(30)
    private static ProcessEnd ask(ActivityManager manager, int pid, long began) {
        for (ApplicationExitInfo info :
                manager.getHistoricalProcessExitReasons(null, pid, EVERY)) {
            // An earlier process may have had the same pid.
            if (info.getTimestamp() >= began) {
                long after = info.getTimestamp() - began;
                return judge(info.getReason(), info.getStatus(), after);
            }
        }
        return UNKNOWN;
    }

    private static ProcessEnd judge(int reason, int status, long after) {
        boolean bySignal = reason == ApplicationExitInfo.REASON_SIGNALED;
        if (reason == ApplicationExitInfo.REASON_CRASH_NATIVE
                || bySignal && CRASHES.contains(status)) {
            return CRASHED;
        }
        // If a driver never answers, the trial hangs until the user ends the app.
        boolean hung = reason == ApplicationExitInfo.REASON_ANR || after > LONGEST_TRIAL;
        return hung || reason == ApplicationExitInfo.REASON_UNKNOWN ? UNKNOWN : STOPPED;
    }
}
