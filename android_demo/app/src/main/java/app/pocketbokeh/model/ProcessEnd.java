package app.pocketbokeh.model;

import android.app.ActivityManager;
import android.app.ApplicationExitInfo;
import android.os.Build;
import android.system.OsConstants;
import app.pocketbokeh.FromApi;
import java.util.Set;

/** Whose fault it was that an earlier process of the app ended while an accelerator was tried. */
enum ProcessEnd {
    /** The driver's: native code crashed. */
    CRASHED,
    /** Not the driver's: the user swiped the app away, say, or Android needed the memory. */
    STOPPED,
    /** Nobody knows: Android is older than 11, or the trial never came to its end. */
    UNKNOWN;

    /** Milliseconds after which a trial is taken for hung. */
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
     * @param began when the trial did, in milliseconds since 1970
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
            // Before the trial another process may have had its number.
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
        // A driver that never answers hangs until the user ends the app.
        boolean hung = reason == ApplicationExitInfo.REASON_ANR || after > LONGEST_TRIAL;
        return hung || reason == ApplicationExitInfo.REASON_UNKNOWN ? UNKNOWN : STOPPED;
    }
}
