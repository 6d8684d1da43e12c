package app.pocketbokeh.screen;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;

import android.content.Intent;
import android.graphics.Bitmap;
import android.net.Uri;
import android.view.View;
import android.widget.TextView;
import app.pocketbokeh.Photos;
import app.pocketbokeh.R;
import app.pocketbokeh.model.Accelerator;
import app.pocketbokeh.model.AcceleratorException;
import app.pocketbokeh.model.TfliteRenderer;
import java.io.File;
import java.nio.file.Files;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.android.controller.ActivityController;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;

/** Takes screenshots of the app with a real model on the CPU, on several screen sizes. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 35)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class ScreenshotTest {
    /** Mesa's OpenGL takes half a minute a picture, so the GPU fails as it does with 16 KB pages. */
    @Before
    public void excludeGpu() {
        Models.opener =
                (model, accelerator) -> {
                    if (accelerator == Accelerator.GPU) {
                        throw new AcceleratorException(
                                "its library cannot be loaded: needs pages of 4 KB",
                                null);
                    }
                    return TfliteRenderer.open(model, accelerator, 2);
                };
    }

    @Rule public final TemporaryFolder temporary = new TemporaryFolder();

    private Uri shared(String name, int width, int height) throws Exception {
        String named = System.getProperty("photo");
        File file = new File(temporary.getRoot(), name);
        if (named != null) {
            Files.copy(new File(named).toPath(), file.toPath());
        } else {
            Photos.write(Photos.draw(width, height), file);
        }
        return Fakes.granted(file);
    }

    private MainActivity rendered(int width, int height) throws Exception {
        Uri uri = shared("photo.jpg", width, height);
        Intent intent = new Intent(Intent.ACTION_SEND).setType("image/jpeg");
        intent.putExtra(Intent.EXTRA_STREAM, uri);
        ActivityController<MainActivity> controller =
                Robolectric.buildActivity(MainActivity.class, intent).setup();
        MainActivity activity = controller.get();
        CompareView compare = activity.findViewById(R.id.compare);
        View save = activity.findViewById(R.id.save);
        Screens.awaitIdle(activity);
        assertTrue(Screens.told(activity), save.isEnabled());
        assertEquals(View.VISIBLE, compare.getVisibility());
        return activity;
    }

    private static void assertReadable(MainActivity activity) {
        for (int id : new int[] {R.id.choose, R.id.take, R.id.save, R.id.share}) {
            TextView button = activity.findViewById(id);
            assertTrue(button.getText() + " is cut", button.getLayout().getEllipsisCount(0) == 0);
            assertTrue(button.getText() + " is out of sight", button.getHeight() > 0);
        }
    }

    @Test
    @Config(qualifiers = "w411dp-h891dp-xhdpi")
    public void phone() throws Exception {
        MainActivity activity = rendered(1200, 1600);
        assertReadable(activity);
        Bitmap picture = Screens.shoot(activity, "phone");
        assertTrue(picture.getHeight() > picture.getWidth());
    }

    @Test
    @Config(qualifiers = "w411dp-h891dp-xhdpi")
    public void phoneEmpty() throws Exception {
        Screens.shoot(Robolectric.setupActivity(MainActivity.class), "phone_empty");
    }

    @Test
    @Config(qualifiers = "w411dp-h891dp-night-xhdpi")
    public void phoneNight() throws Exception {
        Screens.shoot(rendered(1600, 1200), "phone_night");
        Screens.shoot(Robolectric.setupActivity(MainActivity.class), "phone_empty_night");
    }

    @Test
    @Config(qualifiers = "w891dp-h411dp-land-xhdpi")
    public void phoneLandscape() throws Exception {
        Screens.shoot(rendered(1600, 1200), "phone_landscape");
        Screens.shoot(Robolectric.setupActivity(MainActivity.class), "phone_empty_landscape");
    }

    @Test
    @Config(qualifiers = "w1280dp-h800dp-land-mdpi")
    public void tablet() throws Exception {
        Screens.shoot(rendered(1600, 1200), "tablet");
    }

    @Test
    @Config(qualifiers = "w360dp-h740dp-xhdpi", fontScale = 2.0f)
    public void phoneLargeFont() throws Exception {
        MainActivity activity = rendered(1600, 1200);
        assertReadable(activity);
        Screens.shoot(activity, "phone_large_font");
        Screens.shoot(Robolectric.setupActivity(MainActivity.class), "phone_empty_large_font");
    }

    @Test
    @Config(qualifiers = "w411dp-h891dp-xhdpi")
    public void proof() throws Exception {
        ProofActivity activity = Robolectric.setupActivity(ProofActivity.class);
        activity.findViewById(R.id.run).performClick();
        Screens.await(() -> activity.findViewById(R.id.share).isEnabled());
        Screens.shoot(activity, "proof");
    }
}
