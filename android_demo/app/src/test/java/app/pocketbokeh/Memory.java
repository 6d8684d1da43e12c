package app.pocketbokeh;

import android.app.ActivityManager;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.Shadows;

/** Sets the free memory of Robolectric's phone, which is 0 by default. */
public final class Memory {
    private Memory() {}

    /**
     * Sets what Android reports.
     *
     * @param free in bytes
     * @param threshold in bytes; below it Android ends other apps
     */
    public static void set(long free, long threshold) {
        ActivityManager.MemoryInfo memory = new ActivityManager.MemoryInfo();
        memory.availMem = free;
        memory.threshold = threshold;
        Shadows.shadowOf(
                        RuntimeEnvironment.getApplication()
                                .getSystemService(ActivityManager.class))
                .setMemoryInfo(memory);
    }
}
