package app.pocketbokeh.screen;

import static app.pocketbokeh.screen.Fakes.Behaviour.MISSING;
import static app.pocketbokeh.screen.Fakes.Behaviour.RIGHT;
import static app.pocketbokeh.screen.Fakes.Behaviour.STUCK;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertTrue;

import android.app.Activity;
import android.content.Intent;
import android.content.pm.ActivityInfo;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.graphics.Color;
import android.net.Uri;
import android.os.Bundle;
import android.provider.MediaStore;
import android.view.View;
import app.pocketbokeh.Memory;
import app.pocketbokeh.Photos;
import app.pocketbokeh.R;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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

/** Always saves the photo on the screen, whatever else was opened, and removes unused copies. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 35, qualifiers = "w411dp-h891dp-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class OpenedPhotosTest {
    @Rule public final TemporaryFolder temporary = new TemporaryFolder();

    private File red;
    private File blue;

    @Before
    public void preparePhotos() throws Exception {
        Fakes.accelerators(RIGHT, MISSING, MISSING);
        Memory.set(1L << 32, 0);
        red = filled(Color.RED, 320, 240, "red.jpg");
        blue = filled(Color.BLUE, 200, 400, "blue.jpg");
    }

    private File filled(int color, int width, int height, String name) throws IOException {
        Bitmap bitmap = Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888);
        bitmap.eraseColor(color);
        return Photos.write(bitmap, new File(temporary.getRoot(), name));
    }

    private void assertSaves(Activity activity, int color, int width, int height) throws Exception {
        File saved = new File(temporary.getRoot(), "saved.jpg");
        Files.deleteIfExists(saved.toPath());
        new Fakes.GalleryProvider(saved);
        activity.findViewById(R.id.save).performClick();
        Screens.awaitIdle(activity);
        Bitmap bitmap = BitmapFactory.decodeFile(saved.getPath());
        assertEquals(width + "×" + height, bitmap.getWidth() + "×" + bitmap.getHeight());
        int found = bitmap.getPixel(width / 2, height / 2);
        assertEquals("red", Color.red(color), Color.red(found), 16);
        assertEquals("blue", Color.blue(color), Color.blue(found), 16);
    }

    /** The app's own copies of photos. */
    private List<Path> copies() throws IOException {
        Path own = RuntimeEnvironment.getApplication().getNoBackupFilesDir().toPath();
        try (Stream<Path> found = Files.walk(own)) {
            return found.filter(Files::isRegularFile).collect(Collectors.toList());
        }
    }

    private boolean isCopied(File photo) {
        try {
            for (Path copy : copies()) {
                if (Files.mismatch(copy, photo.toPath()) < 0) {
                    return true;
                }
            }
            return false;
        } catch (IOException error) {
            return false; // It is being renamed.
        }
    }

    @Test
    public void eachScreenSavesItsOwnPhoto() throws Exception {
        MainActivity first = Screens.shared(red).get();
        Screens.awaitIdle(first);
        MainActivity second = Screens.shared(blue).get();
        Screens.awaitIdle(second);
        assertSaves(first, Color.RED, 320, 240);
        assertSaves(second, Color.BLUE, 200, 400);
    }

    @Test
    public void aCancelledOpeningLeavesThePhotoThatIsShown() throws Exception {
        ActivityController<MainActivity> controller = Screens.shared(red);
        MainActivity activity = controller.get();
        Screens.awaitIdle(activity);
        controller.newIntent(Fakes.sharing(blue));
        // The main thread is blocked meanwhile, so the new photo is not shown.
        long end = System.currentTimeMillis() + 60_000;
        while (!isCopied(blue) && System.currentTimeMillis() < end) {
            Thread.sleep(10);
        }
        assertTrue("the other photo was never copied", isCopied(blue));
        activity.findViewById(R.id.cancel).performClick();
        Screens.awaitIdle(activity);
        assertEquals("Cancelled.", Screens.told(activity));
        assertSaves(activity, Color.RED, 320, 240);
        assertFalse("the cancelled photo is left behind", isCopied(blue));
    }

    @Test
    public void aPhotoThatCannotBeReadLeavesTheOneThatIsShown() throws Exception {
        ActivityController<MainActivity> controller = Screens.shared(red);
        Screens.awaitIdle(controller.get());
        File text = new File(temporary.getRoot(), "text.jpg");
        Files.write(text.toPath(), "no photo".getBytes());
        controller.newIntent(Fakes.sharing(text));
        Screens.awaitIdle(controller.get());
        assertEquals(
                "This file is not a photo that the app can read.", Screens.told(controller.get()));
        assertSaves(controller.get(), Color.RED, 320, 240);
        assertEquals("half a photo is left behind", 1, copies().size());
    }

    @Test
    public void aSharedPhotoReplacesTheOneThatIsShown() throws Exception {
        ActivityController<MainActivity> controller = Screens.shared(red);
        Screens.awaitIdle(controller.get());
        controller.newIntent(Fakes.sharing(blue));
        Screens.awaitIdle(controller.get());
        assertSaves(controller.get(), Color.BLUE, 200, 400);
        assertFalse("the first photo is left behind", isCopied(red));
    }

    @Test
    public void allPhotosOpenInOneScreen() throws Exception {
        MainActivity activity = Robolectric.setupActivity(MainActivity.class);
        ActivityInfo info =
                activity.getPackageManager().getActivityInfo(activity.getComponentName(), 0);
        assertEquals(ActivityInfo.LAUNCH_SINGLE_TASK, info.launchMode);
    }

    @Test
    public void leavingTheScreenRemovesItsPhoto() throws Exception {
        ActivityController<MainActivity> controller = Screens.shared(red);
        Screens.awaitIdle(controller.get());
        controller.get().finish();
        controller.pause().stop().destroy();
        Screens.await(() -> !isCopied(red));
    }

    @Test
    public void copiesOfEndedProcessesAreRemovedUnlessTheirScreenIsRestored() throws Exception {
        ActivityController<MainActivity> first = Screens.shared(red);
        ActivityController<MainActivity> second = Screens.shared(blue);
        Bundle state = Screens.ended(first);
        Bundle forgotten = Screens.ended(second);
        assertTrue(isCopied(red) && isCopied(blue));
        MainActivity again = Screens.restored(state);
        assertSaves(again, Color.RED, 320, 240);
        Screens.await(() -> !isCopied(blue));
        assertTrue(isCopied(red));
        assertFalse(Screens.restored(forgotten).findViewById(R.id.save).isEnabled());
    }

    @Test
    public void theLastPhotoIsOpenedAgain() throws Exception {
        ActivityController<MainActivity> controller = Screens.shared(red);
        Screens.awaitIdle(controller.get());
        Bundle state = new Bundle();
        controller.saveInstanceState(state);
        controller.newIntent(Fakes.sharing(blue)); // The photo arrives after the state was saved.
        Screens.awaitIdle(controller.get());
        controller.pause().stop().destroy();
        assertSaves(Screens.restored(state), Color.BLUE, 200, 400);
    }

    @Test
    public void aSecondTakeLeavesTheFirstToBeOpened() throws Exception {
        Fakes.stuck = new CountDownLatch(1);
        Fakes.accelerators(STUCK, MISSING, MISSING);
        MainActivity activity = Screens.shared(red).get();
        Screens.await(() -> activity.findViewById(R.id.panel).getVisibility() == View.VISIBLE);
        Intent first = take(activity);
        Uri uri = first.getParcelableExtra(MediaStore.EXTRA_OUTPUT);
        try (OutputStream out = activity.getContentResolver().openOutputStream(uri)) {
            Files.copy(blue.toPath(), out);
        }
        Shadows.shadowOf(activity).receiveResult(first, Activity.RESULT_OK, null);
        Intent second = take(activity); // The first waits, because the model is still rendering.
        Shadows.shadowOf(activity).receiveResult(second, Activity.RESULT_CANCELED, null);
        Fakes.stuck.countDown();
        Screens.awaitIdle(activity);
        assertSaves(activity, Color.BLUE, 200, 400);
    }

    private static Intent take(Activity activity) {
        activity.findViewById(R.id.take).performClick();
        return Shadows.shadowOf(activity).getNextStartedActivityForResult().intent;
    }

    @Test
    public void sharingWaitsForTheScreenToBeInFront() throws Exception {
        ActivityController<MainActivity> controller = sharedWhileAway();
        assertNull(Shadows.shadowOf(controller.get()).getNextStartedActivity());
        controller.resume();
        assertNotNull(Shadows.shadowOf(controller.get()).getNextStartedActivity());
    }

    @Test
    public void anotherPhotoIsNotSharedInItsPlace() throws Exception {
        ActivityController<MainActivity> controller = sharedWhileAway();
        controller.newIntent(Fakes.sharing(blue)).resume();
        Screens.awaitIdle(controller.get());
        assertNull(Shadows.shadowOf(controller.get()).getNextStartedActivity());
    }

    private ActivityController<MainActivity> sharedWhileAway() throws Exception {
        ActivityController<MainActivity> controller = Screens.shared(red);
        Screens.awaitIdle(controller.get());
        controller.get().findViewById(R.id.share).performClick();
        controller.pause();
        Screens.awaitIdle(controller.get());
        return controller;
    }

    /** Before Android 10 the user chooses where to save; the process may end meanwhile. */
    @Test
    public void aDocumentChosenWhileTheProcessEndedIsWritten() throws Exception {
        ActivityController<MainActivity> controller = Screens.shared(red);
        Bundle state = Screens.ended(controller);
        File saved = new File(temporary.getRoot(), "document.jpg");
        new Fakes.GalleryProvider(saved);
        MainActivity again = Robolectric.buildActivity(MainActivity.class).create(state).get();
        Intent chosen = new Intent().setData(Uri.parse("content://media/document/1"));
        Shadows.shadowOf(again).callOnActivityResult(3, Activity.RESULT_OK, chosen);
        Screens.awaitIdle(again);
        assertEquals("Saved to your pictures at 320×240.", Screens.told(again));
        assertEquals(320, BitmapFactory.decodeFile(saved.getPath()).getWidth());
    }
}
