package app.pocketbokeh.screen;

import static app.pocketbokeh.screen.Fakes.Behaviour.MISSING;
import static app.pocketbokeh.screen.Fakes.Behaviour.RIGHT;
import static app.pocketbokeh.screen.Fakes.Behaviour.WRONG;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import android.content.Intent;
import android.net.Uri;
import android.widget.LinearLayout;
import android.widget.TextView;
import app.pocketbokeh.Photos;
import app.pocketbokeh.R;
import java.io.File;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import org.json.JSONArray;
import org.json.JSONObject;
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

/** The proof runs every model on every accelerator and writes its file. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 35, qualifiers = "w411dp-h891dp-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class ProofActivityTest {
    @Rule public final TemporaryFolder temporary = new TemporaryFolder();

    @Test
    public void everyModelOnEveryAcceleratorIsListedAndShared() throws Exception {
        Fakes.accelerators(RIGHT, MISSING, WRONG);
        Intent asked = new Intent().putExtra("run", true);
        ProofActivity activity =
                Robolectric.buildActivity(ProofActivity.class, asked).setup().get();
        Screens.await(() -> activity.findViewById(R.id.share).isEnabled());
        LinearLayout list = activity.findViewById(R.id.trials);
        assertEquals(12, list.getChildCount());
        String wrong =
                list.getChildAt(2).<TextView>findViewById(R.id.verdict).getText().toString();
        assertTrue(wrong, wrong.startsWith("wrong, so it is not used: at most 25"));
        activity.findViewById(R.id.share).performClick();
        Intent chooser = Shadows.shadowOf(activity).getNextStartedActivity();
        Intent send = chooser.getParcelableExtra(Intent.EXTRA_INTENT);
        Uri uri = send.getParcelableExtra(Intent.EXTRA_STREAM);
        JSONObject proof;
        try (InputStream in =
                RuntimeEnvironment.getApplication().getContentResolver().openInputStream(uri)) {
            String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
            proof = new JSONObject(text);
        }
        JSONArray trials = proof.getJSONArray("trials");
        JSONObject cpu = trials.getJSONObject(0);
        assertTrue(cpu.getBoolean("runs"));
        assertTrue(cpu.getDouble("milliseconds") >= 0);
        assertTrue(cpu.getInt("largest_step") <= 1);
        JSONObject gpu = trials.getJSONObject(1);
        assertFalse(gpu.getBoolean("runs"));
        assertEquals("is missing", gpu.getString("reason"));
        assertEquals("gives wrong results", trials.getJSONObject(2).getString("reason"));
        String copy = System.getProperty("proof");
        if (copy != null) {
            Files.write(new File(copy).toPath(), proof.toString(2).getBytes());
        }
    }

    @Test
    public void oneModelIsOpenAtATime() throws Exception {
        Fakes.accelerators(RIGHT, MISSING, MISSING);
        File photo = Photos.write(Photos.draw(60, 80), new File(temporary.getRoot(), "a.jpg"));
        MainActivity below = Screens.shared(photo).get();
        Screens.awaitIdle(below);
        assertEquals("the photo's model stays open", 1, Fakes.OPEN.get());
        ProofActivity activity = Robolectric.setupActivity(ProofActivity.class);
        activity.findViewById(R.id.run).performClick();
        Screens.await(() -> activity.findViewById(R.id.share).isEnabled());
        assertEquals(1, Fakes.mostOpen);
    }

    @Test
    public void aRotationKeepsTheResults() throws Exception {
        Fakes.accelerators(RIGHT, MISSING, MISSING);
        ActivityController<ProofActivity> controller =
                Robolectric.buildActivity(ProofActivity.class).setup();
        controller.get().findViewById(R.id.run).performClick();
        Screens.await(() -> controller.get().findViewById(R.id.share).isEnabled());
        controller.recreate();
        LinearLayout list = controller.get().findViewById(R.id.trials);
        assertEquals(12, list.getChildCount());
    }
}
