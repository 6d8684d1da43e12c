package app.pocketbokeh.screen;

import android.app.Activity;
import java.io.File;
import java.nio.file.Files;
import org.json.JSONObject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;

/**
 * Times the start until the first screen; writes to the file of the property `benchmark`.
 *
 * <p>Android's classes are loaded before, as in a phone's zygote; the app's classes and resources are
 * not.
 */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 35, qualifiers = "w400dp-h800dp-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class StartBenchmark {
    @Test
    public void measure() throws Exception {
        Robolectric.buildActivity(Activity.class).setup();
        JSONObject times = new JSONObject().put("first", once()).put("warm", once());
        Files.writeString(new File(System.getProperty("benchmark")).toPath(), times.toString(2));
    }

    /** Milliseconds of `onCreate`, and until the screen is laid out and drawn once. */
    private static JSONObject once() throws Exception {
        long start = System.nanoTime();
        var controller = Robolectric.buildActivity(MainActivity.class).create();
        long created = System.nanoTime();
        controller.start().resume().visible();
        Screens.shoot(controller.get(), "start");
        long shown = System.nanoTime();
        controller.pause().stop().destroy();
        return new JSONObject()
                .put("created_ms", Math.round((created - start) / 1e5) / 10.0)
                .put("shown_ms", Math.round((shown - start) / 1e5) / 10.0);
    }
}
