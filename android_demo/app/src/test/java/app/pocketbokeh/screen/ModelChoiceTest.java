package app.pocketbokeh.screen;

import static app.pocketbokeh.screen.Fakes.Behaviour.FAILING;
import static app.pocketbokeh.screen.Fakes.Behaviour.MISSING;
import static app.pocketbokeh.screen.Fakes.Behaviour.RIGHT;
import static app.pocketbokeh.screen.Fakes.Behaviour.WRONG;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertTrue;

import android.app.Activity;
import android.app.ActivityManager;
import android.app.ApplicationExitInfo;
import android.content.Context;
import android.content.SharedPreferences;
import android.view.View;
import app.pocketbokeh.Photos;
import app.pocketbokeh.R;
import app.pocketbokeh.model.Accelerator;
import java.io.File;
import java.util.List;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.Shadows;
import org.robolectric.android.controller.ActivityController;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;

/** Which model renders: the fastest correct one, or the one that the user chose. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 35, qualifiers = "w411dp-h891dp-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class ModelChoiceTest {
    @Rule public final TemporaryFolder temporary = new TemporaryFolder();

    private static final String INSTEAD =
            "Another model was used, because the chosen one failed: ";

    private File photo;

    @Before
    public void preparePhoto() throws Exception {
        photo = Photos.write(Photos.draw(600, 800), new File(temporary.getRoot(), "photo.jpg"));
        Fakes.accelerators(RIGHT, MISSING, MISSING);
    }

    private static MainActivity rendered(File file) throws Exception {
        MainActivity activity = Screens.shared(file).get();
        Screens.awaitIdle(activity);
        return activity;
    }

    private static boolean isRendered(Activity activity) {
        return activity.findViewById(R.id.save).isEnabled();
    }

    private static Context application() {
        return RuntimeEnvironment.getApplication();
    }

    @Test
    public void aDelegateThatFailsOrIsWrongIsExcluded() throws Exception {
        for (Fakes.Behaviour gpu : List.of(MISSING, FAILING, WRONG)) {
            application().getSharedPreferences("auto", 0).edit().clear().commit();
            Fakes.accelerators(RIGHT, gpu, WRONG);
            MainActivity activity = rendered(photo);
            assertTrue(Screens.told(activity), isRendered(activity));
            assertEquals("Rendered by int8_qat on CPU", Screens.told(activity));
            SharedPreferences remembered = application().getSharedPreferences("auto", 0);
            assertNotNull(remembered.getString("reason float16/GPU", null));
            assertEquals(
                    "gives wrong results", remembered.getString("reason int8_qat/NNAPI", null));
        }
    }

    @Test
    public void theFastestIsRemembered() throws Exception {
        Fakes.accelerators(RIGHT, MISSING, WRONG);
        ActivityController<MainActivity> controller = Screens.shared(photo);
        Screens.awaitIdle(controller.get());
        controller.get().finish();
        controller.pause().stop().destroy();
        Fakes.OPENED.clear();
        rendered(photo);
        assertEquals(List.of(Accelerator.CPU), Fakes.OPENED);
    }

    @Test
    public void aCrashingAcceleratorIsNotTriedAgain() throws Exception {
        new Models(application()).auto(); // Stores which phone it is.
        SharedPreferences remembered = application().getSharedPreferences("auto", 0);
        remembered
                .edit()
                .putString("trying", "float16/GPU")
                .putInt("trying process", 7)
                .commit();
        Shadows.shadowOf(application().getSystemService(ActivityManager.class))
                .addApplicationExitInfo(
                        "app.pocketbokeh", 7, ApplicationExitInfo.REASON_CRASH_NATIVE, 0);
        Fakes.accelerators(RIGHT, RIGHT, MISSING);
        MainActivity activity = rendered(photo);
        assertTrue(isRendered(activity));
        assertFalse(Fakes.OPENED.contains(Accelerator.GPU));
        String reason = remembered.getString("reason float16/GPU", "");
        assertTrue(reason, reason.contains("crashed the app"));
    }

    @Test
    public void thePhotoStaysIfNoModelRuns() throws Exception {
        Fakes.accelerators(MISSING, MISSING, MISSING);
        MainActivity activity = rendered(photo);
        assertTrue(Screens.told(activity), Screens.told(activity).startsWith("No model runs"));
        assertEquals(View.VISIBLE, activity.findViewById(R.id.compare).getVisibility());
        assertFalse(isRendered(activity));
    }

    @Test
    public void aChosenModelThatFailsIsReplaced() throws Exception {
        choose("float16/GPU");
        MainActivity activity = rendered(photo);
        assertEquals(INSTEAD + "is missing", Screens.told(activity));
        assertTrue(isRendered(activity));
    }

    @Test
    public void aChosenModelThatIsWrongIsNotShown() throws Exception {
        choose("float16/GPU");
        Fakes.accelerators(RIGHT, WRONG, MISSING);
        MainActivity activity = rendered(photo);
        assertEquals(INSTEAD + "gives wrong results", Screens.told(activity));
        assertTrue(isRendered(activity));
    }

    @Test
    public void theModelForTheOtherShapeIsCheckedToo() throws Exception {
        Fakes.accelerators(RIGHT, RIGHT, MISSING);
        choose("float16/GPU");
        assertEquals("Rendered by float16 on GPU", Screens.told(rendered(photo)));
        Fakes.accelerators(RIGHT, WRONG, MISSING);
        File lying = Photos.write(Photos.draw(80, 60), new File(temporary.getRoot(), "b.jpg"));
        assertEquals(INSTEAD + "gives wrong results", Screens.told(rendered(lying)));
    }

    @Test
    public void whatTheProofFindsWrongIsRenderedAgain() throws Exception {
        Fakes.accelerators(RIGHT, RIGHT, MISSING);
        choose("float16/GPU");
        ActivityController<MainActivity> controller = Screens.shared(photo);
        Screens.awaitIdle(controller.get());
        assertEquals("Rendered by float16 on GPU", Screens.told(controller.get()));
        controller.pause();
        Fakes.accelerators(RIGHT, WRONG, MISSING);
        ProofActivity proof = Robolectric.setupActivity(ProofActivity.class);
        proof.findViewById(R.id.run).performClick();
        Screens.await(() -> proof.findViewById(R.id.share).isEnabled());
        controller.resume();
        Screens.await(() -> Screens.told(controller.get()).startsWith(INSTEAD));
        Screens.awaitIdle(controller.get());
        assertTrue(isRendered(controller.get()));
    }

    private static void choose(String candidate) {
        SharedPreferences models = application().getSharedPreferences("models", 0);
        models.edit().putString("chosen", candidate).commit();
    }
}
