package app.pocketbokeh.screen;

import static android.app.ApplicationExitInfo.REASON_CRASH_NATIVE;
import static android.app.ApplicationExitInfo.REASON_LOW_MEMORY;
import static android.app.ApplicationExitInfo.REASON_SIGNALED;
import static android.app.ApplicationExitInfo.REASON_USER_REQUESTED;
import static app.pocketbokeh.screen.Fakes.Behaviour.MISSING;
import static app.pocketbokeh.screen.Fakes.Behaviour.RIGHT;
import static app.pocketbokeh.screen.Fakes.Behaviour.STUCK;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import android.app.ActivityManager;
import android.content.Context;
import android.content.SharedPreferences;
import android.os.Process;
import app.pocketbokeh.Photos;
import app.pocketbokeh.model.Accelerator;
import app.pocketbokeh.model.Candidate;
import java.io.File;
import java.util.concurrent.CountDownLatch;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.Shadows;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;
import org.robolectric.shadows.ShadowActivityManager.ApplicationExitInfoBuilder;

/** The app's process ends while the GPU is tried; Android's reason decides what happens next. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 35, qualifiers = "w411dp-h891dp-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class DeathInTrialTest {
    private static final Candidate GPU = new Candidate("float16", Accelerator.GPU);
    private static final int SEGMENTATION_FAULT = 11;
    private static final int KILLED = 9;

    @Rule public final TemporaryFolder temporary = new TemporaryFolder();

    private final Context context = RuntimeEnvironment.getApplication();
    private final SharedPreferences remembered = context.getSharedPreferences("auto", 0);

    @Before
    public void beginTheTrial() throws Exception {
        Fakes.stuck = new CountDownLatch(1);
        Fakes.accelerators(RIGHT, STUCK, MISSING);
        Screens.shared(Photos.write(Photos.draw(60, 80), new File(temporary.getRoot(), "a.jpg")));
        Screens.await(() -> remembered.contains("trying"));
    }

    @After
    public void endTheTrial() {
        Fakes.stuck.countDown();
    }

    /** Makes Android report how the process that tries the GPU ended. */
    private void ended(int reason, int status, long after) {
        Object info =
                ApplicationExitInfoBuilder.newBuilder()
                        .setPid(Process.myPid())
                        .setReason(reason)
                        .setStatus(status)
                        .setTimestamp(System.currentTimeMillis() + after)
                        .build();
        Shadows.shadowOf(context.getSystemService(ActivityManager.class))
                .addApplicationExitInfo(info);
    }

    /** Why the next process excludes the GPU; empty if it does not. */
    private String reasonAgainst() throws Exception {
        return new Models(context).auto().reasonAgainst(GPU);
    }

    /** Acts as if the next process had tried the GPU again and had ended too. */
    private void endAgain() {
        remembered.edit().putString("trying", GPU.toString()).commit();
    }

    @Test
    public void aCrashInTheDriverExcludesIt() throws Exception {
        ended(REASON_CRASH_NATIVE, SEGMENTATION_FAULT, 0);
        assertTrue(reasonAgainst(), reasonAgainst().contains("crashed the app"));
    }

    @Test
    public void aSignalOfTheProcessorExcludesIt() throws Exception {
        ended(REASON_SIGNALED, SEGMENTATION_FAULT, 0);
        assertTrue(reasonAgainst(), reasonAgainst().contains("crashed the app"));
    }

    @Test
    public void swipingTheAppAwayDoesNotExcludeIt() throws Exception {
        for (int time = 0; time < 3; time++) {
            ended(REASON_USER_REQUESTED, 0, 0);
            assertEquals("", reasonAgainst());
            endAgain();
        }
    }

    @Test
    public void beingEndedForMemoryDoesNotExcludeIt() throws Exception {
        ended(REASON_LOW_MEMORY, 0, 0);
        assertEquals("", reasonAgainst());
        endAgain();
        ended(REASON_SIGNALED, KILLED, 0);
        assertEquals("", reasonAgainst());
    }

    @Test
    public void aTrialThatHangsIsTriedOnceMore() throws Exception {
        ended(REASON_USER_REQUESTED, 0, 120_000);
        assertEquals("", reasonAgainst());
        endAgain();
        assertTrue(reasonAgainst(), reasonAgainst().contains("twice"));
    }

    @Test
    public void afterAnUnexplainedEndItIsTriedOnceMore() throws Exception {
        assertEquals("", reasonAgainst());
        endAgain();
        assertTrue(reasonAgainst(), reasonAgainst().contains("twice"));
    }

    @Test
    public void aTrialThatStillRunsDoesNotCountAsAnEnd() throws Exception {
        Screens.shared(Photos.write(Photos.draw(60, 80), new File(temporary.getRoot(), "b.jpg")));
        Thread.sleep(500);
        assertFalse(remembered.contains("reason " + GPU));
        assertTrue(remembered.contains("trying"));
    }
}
