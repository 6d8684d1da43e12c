package app.pocketbokeh.screen;

import static app.pocketbokeh.screen.Fakes.Behaviour.BRIGHTER;
import static app.pocketbokeh.screen.Fakes.Behaviour.MISSING;
import static app.pocketbokeh.screen.Fakes.Behaviour.RIGHT;
import static app.pocketbokeh.screen.Fakes.Behaviour.STUCK;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertSame;
import static org.junit.Assert.assertTrue;
import static org.junit.Assume.assumeNotNull;

import android.app.Activity;
import android.content.ClipData;
import android.content.Context;
import android.content.Intent;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.graphics.Canvas;
import android.graphics.Color;
import android.media.ExifInterface;
import android.net.Uri;
import android.provider.MediaStore;
import android.view.View;
import android.widget.SeekBar;
import android.widget.TextView;
import app.pocketbokeh.Memory;
import app.pocketbokeh.Photos;
import app.pocketbokeh.R;
import java.io.File;
import java.io.OutputStream;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
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
import org.robolectric.shadows.ShadowActivity;

/** Opening, rendering, saving and sharing on the main screen, with fake accelerators. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 35, qualifiers = "w411dp-h891dp-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class MainActivityTest {
    @Rule public final TemporaryFolder temporary = new TemporaryFolder();

    private File folder;
    private File photo;

    @Before
    public void preparePhoto() throws Exception {
        folder = temporary.getRoot();
        photo = Photos.write(Photos.draw(600, 800), new File(folder, "photo.jpg"));
        Fakes.stuck = new CountDownLatch(1);
        Fakes.accelerators(RIGHT, MISSING, MISSING);
        Memory.set(1L << 32, 0);
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
    public void theStartLoadsNothing() throws Exception {
        MainActivity activity = Robolectric.setupActivity(MainActivity.class);
        Screens.awaitIdle(activity);
        assertEquals(List.of(), Fakes.OPENED);
        assertTrue(application().getSharedPreferences("auto", 0).getAll().isEmpty());
        assertEquals(View.VISIBLE, activity.findViewById(R.id.choose_first).getVisibility());
    }

    @Test
    public void theFirstScreenSaysWhatTheWeightsMayBeUsedFor() {
        MainActivity activity = Robolectric.setupActivity(MainActivity.class);
        TextView licence = activity.findViewById(R.id.licence);
        assertTrue(licence.isShown());
        assertEquals(
                "The models’ weights are for research and evaluation only.",
                licence.getText().toString());
    }

    @Test
    public void theFirstScreenShowsWhatTheAppDoes() {
        MainActivity activity = Robolectric.setupActivity(MainActivity.class);
        CompareView example = activity.findViewById(R.id.example);
        assertTrue(example.isShown());
        Bitmap drawn =
                Bitmap.createBitmap(
                        example.getWidth(), example.getHeight(), Bitmap.Config.ARGB_8888);
        example.draw(new Canvas(drawn));
        // The trees on the left have all their leaves, those on the right are blurred.
        int top = drawn.getHeight() / 4;
        double sharp = roughness(drawn, drawn.getWidth() / 8, top);
        double blurred = roughness(drawn, drawn.getWidth() * 7 / 8, top);
        assertTrue(sharp + " against " + blurred, sharp > 1.4 * blurred);
    }

    /** The mean difference of neighbours on a line of 80 pixels around a place. */
    private static double roughness(Bitmap picture, int x, int y) {
        double sum = 0;
        for (int at = x - 40; at < x + 40; at++) {
            int one = Color.green(picture.getPixel(at, y));
            sum += Math.abs(one - Color.green(picture.getPixel(at + 1, y)));
        }
        return sum / 80;
    }

    @Test
    public void choosingOpensThePhotoPicker() throws Exception {
        MainActivity activity = Robolectric.setupActivity(MainActivity.class);
        activity.findViewById(R.id.choose_first).performClick();
        ShadowActivity.IntentForResult asked =
                Shadows.shadowOf(activity).getNextStartedActivityForResult();
        assertEquals(MediaStore.ACTION_PICK_IMAGES, asked.intent.getAction());
        assertEquals("image/*", asked.intent.getType());
        Uri chosen = Fakes.granted(photo);
        Shadows.shadowOf(activity)
                .receiveResult(asked.intent, Activity.RESULT_OK, new Intent().setData(chosen));
        Screens.awaitIdle(activity);
        assertTrue(Screens.told(activity), isRendered(activity));
    }

    @Test
    public void theCameraWritesIntoAFileOfThisApp() throws Exception {
        MainActivity activity = Robolectric.setupActivity(MainActivity.class);
        activity.findViewById(R.id.take_first).performClick();
        ShadowActivity.IntentForResult asked =
                Shadows.shadowOf(activity).getNextStartedActivityForResult();
        assertEquals(MediaStore.ACTION_IMAGE_CAPTURE, asked.intent.getAction());
        int granted = asked.intent.getFlags() & Intent.FLAG_GRANT_WRITE_URI_PERMISSION;
        assertTrue("the camera may not write", granted != 0);
        ClipData clip = asked.intent.getClipData();
        Uri uri = clip.getItemAt(0).getUri();
        assertEquals(uri, asked.intent.getParcelableExtra(MediaStore.EXTRA_OUTPUT));
        try (OutputStream out = application().getContentResolver().openOutputStream(uri)) {
            Files.copy(photo.toPath(), out);
        }
        Shadows.shadowOf(activity).receiveResult(asked.intent, Activity.RESULT_OK, null);
        Screens.awaitIdle(activity);
        assertTrue(Screens.told(activity), isRendered(activity));
    }

    @Test
    public void aCameraThatReturnsNothingIsReported() throws Exception {
        MainActivity activity = Robolectric.setupActivity(MainActivity.class);
        activity.findViewById(R.id.take_first).performClick();
        Intent asked = Shadows.shadowOf(activity).getNextStartedActivityForResult().intent;
        Shadows.shadowOf(activity).receiveResult(asked, Activity.RESULT_OK, null);
        Screens.awaitIdle(activity);
        assertEquals(
                "The camera app returned no photo. Take it again.", Screens.told(activity));
    }

    @Test
    public void withoutACameraAppItSaysSo() {
        MainActivity activity = Robolectric.setupActivity(MainActivity.class);
        Shadows.shadowOf(RuntimeEnvironment.getApplication()).checkActivities(true);
        activity.findViewById(R.id.take_first).performClick();
        assertEquals("There is no camera app on this phone.", Screens.told(activity));
    }

    @Test
    public void aFileThatIsNoPhotoIsReported() throws Exception {
        File text = new File(folder, "text.jpg");
        Files.write(text.toPath(), "no photo".getBytes());
        MainActivity activity = rendered(text);
        assertEquals("This file is not a photo that the app can read.", Screens.told(activity));
        assertEquals(View.VISIBLE, activity.findViewById(R.id.empty).getVisibility());
    }

    @Test
    public void filesWithoutGrantedAccessAreNotRead() throws Exception {
        for (String uri :
                List.of(
                        photo.toURI().toString(),
                        "content://app.pocketbokeh.shared/captured.jpg",
                        "content://0@app.pocketbokeh.shared/captured.jpg")) {
            Intent intent = new Intent(Intent.ACTION_SEND).setType("image/jpeg");
            intent.putExtra(Intent.EXTRA_STREAM, Uri.parse(uri));
            MainActivity activity =
                    Robolectric.buildActivity(MainActivity.class, intent).setup().get();
            Screens.awaitIdle(activity);
            String told = Screens.told(activity);
            assertEquals(uri, "This photo cannot be read. Choose it again.", told);
        }
    }

    @Test
    public void itIsSavedAtItsOwnSizeWithItsExif() throws Exception {
        ExifInterface exif = new ExifInterface(photo.getPath());
        exif.setAttribute(ExifInterface.TAG_ORIENTATION, "6");
        exif.setAttribute(ExifInterface.TAG_DATETIME, "2026:11:25 08:00:00");
        exif.setAttribute(ExifInterface.TAG_MAKE, "Pocket");
        exif.saveAttributes();
        File saved = new File(folder, "saved.jpg");
        Fakes.GalleryProvider gallery = new Fakes.GalleryProvider(saved);
        MainActivity activity = rendered(photo);
        activity.findViewById(R.id.save).performClick();
        Screens.awaitIdle(activity);
        assertEquals("Saved to your pictures at 800×600.", Screens.told(activity));
        Bitmap bitmap = BitmapFactory.decodeFile(saved.getPath());
        assertEquals(600, bitmap.getWidth());
        assertEquals(800, bitmap.getHeight());
        ExifInterface kept = new ExifInterface(saved.getPath());
        assertEquals(6, kept.getAttributeInt(ExifInterface.TAG_ORIENTATION, 0));
        assertEquals("Pocket", kept.getAttribute(ExifInterface.TAG_MAKE));
        assertEquals("2026:11:25 08:00:00", kept.getAttribute(ExifInterface.TAG_DATETIME));
        assertEquals(0, (int) gallery.updated.get(0).getAsInteger("is_pending"));
        assertEquals(0, gallery.deleted);
    }

    /** Uses photos stored sideways, in the folder of the property `photos_with_exif`. */
    @Test
    public void pngAndWebPAreTurnedAndKeepTheirExif() throws Exception {
        String photos = System.getProperty("photos_with_exif");
        assumeNotNull(photos);
        for (String name : List.of("photo.png", "photo.webp")) {
            File saved = new File(folder, name + ".jpg");
            new Fakes.GalleryProvider(saved);
            MainActivity activity = rendered(new File(photos, name));
            activity.findViewById(R.id.save).performClick();
            Screens.awaitIdle(activity);
            assertEquals("Saved to your pictures at 120×160.", Screens.told(activity));
            ExifInterface kept = new ExifInterface(saved.getPath());
            assertEquals(6, kept.getAttributeInt(ExifInterface.TAG_ORIENTATION, 0));
            assertEquals("Pocket", kept.getAttribute(ExifInterface.TAG_MAKE));
            Bitmap bitmap = BitmapFactory.decodeFile(saved.getPath());
            assertEquals(160, bitmap.getWidth());
            assertEquals(120, bitmap.getHeight());
        }
    }

    @Test
    public void aFullDiskLeavesNothingBehind() throws Exception {
        Fakes.GalleryProvider gallery = new Fakes.GalleryProvider(new File("/dev/full"));
        MainActivity activity = rendered(photo);
        activity.findViewById(R.id.save).performClick();
        Screens.awaitIdle(activity);
        assertTrue(Screens.told(activity), Screens.told(activity).contains("no space left"));
        assertEquals(1, gallery.deleted);
        assertTrue("it can be tried again", isRendered(activity));
    }

    @Test
    public void aPhotoTooLargeForTheMemoryIsSavedSmallerAndSaysSo() throws Exception {
        Memory.set(2 * (600 * 800 * 4 - 1), 0);
        new Fakes.GalleryProvider(new File(folder, "saved.jpg"));
        MainActivity activity = rendered(photo);
        activity.findViewById(R.id.save).performClick();
        Screens.awaitIdle(activity);
        String told = Screens.told(activity);
        assertTrue(told, told.startsWith("Saved at 300×400, 1/2 of each side, "));
        assertTrue(told, told.contains("memory"));
    }

    @Test
    public void aSharedPictureCanBeReadByTheOtherApp() throws Exception {
        MainActivity activity = rendered(photo);
        activity.findViewById(R.id.share).performClick();
        Screens.awaitIdle(activity);
        Intent chooser = Shadows.shadowOf(activity).getNextStartedActivity();
        Intent send = chooser.getParcelableExtra(Intent.EXTRA_INTENT);
        assertTrue((send.getFlags() & Intent.FLAG_GRANT_READ_URI_PERMISSION) != 0);
        Uri uri = send.getParcelableExtra(Intent.EXTRA_STREAM);
        Bitmap bitmap =
                BitmapFactory.decodeStream(
                        application().getContentResolver().openInputStream(uri));
        assertEquals(600, bitmap.getWidth());
    }

    @Test
    public void aRotationLosesNothing() throws Exception {
        ActivityController<MainActivity> controller = Screens.shared(photo);
        Screens.awaitIdle(controller.get());
        setStrength(controller.get(), 40);
        Bitmap before = afterOf(controller.get());
        controller.recreate();
        assertSame("rendered anew", before, afterOf(controller.get()));
        SeekBar strength = controller.get().findViewById(R.id.strength);
        assertEquals(40, strength.getProgress());
    }

    @Test
    public void aRotationDoesNotStopTheWork() throws Exception {
        Fakes.accelerators(STUCK, MISSING, MISSING);
        ActivityController<MainActivity> controller = Screens.shared(photo);
        Screens.await(() -> afterIsAwaited(controller.get()));
        controller.recreate();
        Fakes.stuck.countDown();
        Screens.awaitIdle(controller.get());
        assertTrue(Screens.told(controller.get()), isRendered(controller.get()));
    }

    @Test
    public void theEndOfTheProcessLosesNothing() throws Exception {
        ActivityController<MainActivity> controller = Screens.shared(photo);
        Screens.awaitIdle(controller.get());
        setStrength(controller.get(), 30);
        MainActivity again = Screens.restored(Screens.ended(controller));
        assertTrue(Screens.told(again), isRendered(again));
        assertEquals(30, again.<SeekBar>findViewById(R.id.strength).getProgress());
    }

    @Test
    public void cancelStopsAndKeepsThePhoto() throws Exception {
        Fakes.accelerators(STUCK, MISSING, MISSING);
        MainActivity activity = Screens.shared(photo).get();
        Screens.await(() -> afterIsAwaited(activity));
        activity.findViewById(R.id.cancel).performClick();
        assertEquals("Cancelled.", Screens.told(activity));
        assertEquals(View.VISIBLE, activity.findViewById(R.id.compare).getVisibility());
        Fakes.stuck.countDown();
        Thread.sleep(200);
        Screens.awaitIdle(activity);
        assertNull("it came after all", afterOf(activity));
    }

    @Test
    public void strengthLiesBetweenThePhotoAndTheRendering() throws Exception {
        Fakes.accelerators(BRIGHTER, MISSING, MISSING);
        File none = savedWith(0, "none.jpg");
        File full = savedWith(100, "full.jpg");
        Bitmap original = BitmapFactory.decodeFile(photo.getPath());
        double unchanged = difference(original, BitmapFactory.decodeFile(none.getPath()));
        double changed = difference(original, BitmapFactory.decodeFile(full.getPath()));
        assertTrue("strength 0 changes the photo by " + unchanged, unchanged < 0.3);
        assertTrue("full strength changes it by " + changed, changed > 0.7 && changed < 1.3);
    }

    private File savedWith(int strength, String name) throws Exception {
        File saved = new File(folder, name);
        new Fakes.GalleryProvider(saved);
        MainActivity activity = rendered(photo);
        setStrength(activity, strength);
        activity.findViewById(R.id.save).performClick();
        Screens.awaitIdle(activity);
        return saved;
    }

    private static void setStrength(Activity activity, int strength) {
        SeekBar bar = activity.findViewById(R.id.strength);
        bar.setProgress(strength);
        Shadows.shadowOf(bar)
                .getOnSeekBarChangeListener()
                .onProgressChanged(bar, strength, true);
    }

    private static Bitmap afterOf(Activity activity) {
        return activity.<CompareView>findViewById(R.id.compare).after();
    }

    private static boolean afterIsAwaited(Activity activity) {
        return activity.findViewById(R.id.compare).getVisibility() == View.VISIBLE;
    }

    private static double difference(Bitmap one, Bitmap other) {
        int[] left = pixels(one);
        int[] right = pixels(other);
        long sum = 0;
        for (int pixel = 0; pixel < left.length; pixel++) {
            for (int shift = 0; shift < 24; shift += 8) {
                sum += Math.abs((left[pixel] >> shift & 255) - (right[pixel] >> shift & 255));
            }
        }
        return sum / 3.0 / left.length;
    }

    private static int[] pixels(Bitmap bitmap) {
        int[] pixels = new int[bitmap.getWidth() * bitmap.getHeight()];
        Arrays.fill(pixels, 0);
        bitmap.getPixels(
                pixels, 0, bitmap.getWidth(), 0, 0, bitmap.getWidth(), bitmap.getHeight());
        return pixels;
    }
}
