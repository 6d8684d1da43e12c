package app.pocketbokeh;

import android.app.ActivityManager;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.Shadows;

/** The phone's memory, of which Robolectric's has none. */
public final class Memory {
    private Memory() {}

    /**
     * Sets what Android says of it.
     *
     * @param free bytes
     * @param threshold bytes; where less is free, Android ends other apps
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
