package app.pocketbokeh.screen;

import static app.pocketbokeh.screen.Fakes.Behaviour.MISSING;
import static app.pocketbokeh.screen.Fakes.Behaviour.RIGHT;
import static app.pocketbokeh.screen.Fakes.Behaviour.STUCK;
import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import android.app.Activity;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.graphics.Color;
import android.os.Bundle;
import android.os.Looper;
import android.os.SystemClock;
import android.view.MotionEvent;
import android.view.View;
import android.widget.TextView;
import app.pocketbokeh.Memory;
import app.pocketbokeh.Photos;
import app.pocketbokeh.R;
import app.pocketbokeh.picture.NetworkInput;
import java.io.File;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import org.junit.After;
import org.junit.Before;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.Shadows;
import org.robolectric.android.controller.ActivityController;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;

/** Taps that say what should be sharp, with models that take a focus map. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 35, qualifiers = "w411dp-h891dp-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class FocusTest {
    @Rule public final TemporaryFolder temporary = new TemporaryFolder();

    private File photo;

    @Before
    public void prepare() throws Exception {
        Models.folder = "focus_bundle";
        Fakes.stuck = new CountDownLatch(1);
        Fakes.accelerators(RIGHT, MISSING, MISSING);
        Memory.set(1L << 32, 0);
        // Of the models' shape, so that the photo fills the network's input.
        photo = Photos.write(Photos.draw(600, 800), new File(temporary.getRoot(), "photo.jpg"));
    }

    @After
    public void restore() {
        Models.folder = "bundle";
    }

    private static ActivityController<MainActivity> rendered(File file) throws Exception {
        ActivityController<MainActivity> controller = Screens.shared(file);
        Screens.awaitIdle(controller.get());
        return controller;
    }

    private static void touch(View view, int action, float x, float y) {
        long now = SystemClock.uptimeMillis();
        MotionEvent event = MotionEvent.obtain(now, now, action, x, y, 0);
        view.dispatchTouchEvent(event);
        event.recycle();
    }

    private static void pass(int milliseconds) {
        Shadows.shadowOf(Looper.getMainLooper()).idleFor(Duration.ofMillis(milliseconds));
    }

    /** Taps a place of the photo, which has 3 to 4 and fills the view's width or height. */
    private static void tap(Activity activity, float x, float y) throws Exception {
        View view = activity.findViewById(R.id.compare);
        float scale = Math.min(view.getWidth() / 3f, view.getHeight() / 4f);
        float left = (view.getWidth() - 3 * scale) / 2;
        float top = (view.getHeight() - 4 * scale) / 2;
        Fakes.SEEN.clear();
        touch(view, MotionEvent.ACTION_DOWN, left + x * 3 * scale, top + y * 4 * scale);
        touch(view, MotionEvent.ACTION_UP, left + x * 3 * scale, top + y * 4 * scale);
        pass(500);
        Screens.awaitIdle(activity);
    }

    private static void touchAndHold(Activity activity) throws Exception {
        View view = activity.findViewById(R.id.compare);
        Fakes.SEEN.clear();
        touch(view, MotionEvent.ACTION_DOWN, 300, 500);
        pass(1000);
        touch(view, MotionEvent.ACTION_UP, 300, 500);
        Screens.awaitIdle(activity);
    }

    private static String hint(Activity activity) {
        return activity.<TextView>findViewById(R.id.focus_text).getText().toString();
    }

    /** The mean place of the focus map in the first view, in fractions; empty if it is all zeros. */
    private static float[] focusSeen() {
        // The golden pairs of the check come first, the photo's two views last.
        NetworkInput seen = Fakes.SEEN.get(Fakes.SEEN.size() - 2);
        int width = seen.colours().width();
        double sum = 0;
        double x = 0;
        double y = 0;
        for (int pixel = 0; pixel < seen.focus().length; pixel++) {
            int value = seen.focus()[pixel] & 0xff;
            sum += value;
            x += value * (pixel % width + 0.5);
            y += value * (pixel / width + 0.5);
        }
        if (sum == 0) {
            return new float[0];
        }
        return new float[] {
            (float) (x / sum / width), (float) (y / sum / seen.colours().height())
        };
    }

    private static void assertFocus(float x, float y) {
        assertArrayEquals(new float[] {x, y}, focusSeen(), 0.02f);
    }

    private static void assertAutomatic() {
        assertArrayEquals(new float[0], focusSeen(), 0);
    }

    @Test
    public void aTapFocusesThereAndTouchAndHoldReturnsToAutomatic() throws Exception {
        MainActivity activity = rendered(photo).get();
        assertAutomatic();
        assertEquals("Tap what should be sharp.", hint(activity));
        assertFalse(activity.findViewById(R.id.focus_automatic).isShown());
        tap(activity, 0.7f, 0.3f);
        assertFocus(0.7f, 0.3f);
        assertEquals("Sharp where you tapped.", hint(activity));
        Screens.shoot(activity, "focus");
        tap(activity, 0.2f, 0.8f);
        assertFocus(0.2f, 0.8f);
        touchAndHold(activity);
        assertAutomatic();
        assertEquals("Tap what should be sharp.", hint(activity));
        CompareView compare = activity.findViewById(R.id.compare);
        assertFalse("touch and hold has one meaning", compare.showsOriginal());
    }

    @Test
    public void theButtonReturnsToAutomaticToo() throws Exception {
        MainActivity activity = rendered(photo).get();
        tap(activity, 0.7f, 0.3f);
        Fakes.SEEN.clear();
        assertTrue(activity.findViewById(R.id.focus_automatic).isShown());
        activity.findViewById(R.id.focus_automatic).performClick();
        Screens.awaitIdle(activity);
        assertAutomatic();
    }

    @Test
    public void theLastTapWins() throws Exception {
        ActivityController<MainActivity> controller = rendered(photo);
        MainActivity activity = controller.get();
        controller.recreate(); // The model that is open stays; so make it be opened again.
        Fakes.accelerators(STUCK, MISSING, MISSING);
        BokehApp.of(activity).worker().submit(() -> BokehApp.of(activity).models().close()).get();
        View view = controller.get().findViewById(R.id.compare);
        for (float y : new float[] {0.3f, 0.6f}) {
            touch(view, MotionEvent.ACTION_DOWN, view.getWidth() / 2f, y * view.getHeight());
            touch(view, MotionEvent.ACTION_UP, view.getWidth() / 2f, y * view.getHeight());
            pass(500);
        }
        Fakes.stuck.countDown();
        Screens.awaitIdle(controller.get());
        float[] seen = focusSeen();
        assertEquals(0.5f, seen[0], 0.02f);
        assertTrue("the first tap's focus: " + seen[1], seen[1] > 0.5f);
    }

    @Test
    public void aTapBesideThePhotoDoesNothing() throws Exception {
        MainActivity activity = rendered(photo).get();
        View view = activity.findViewById(R.id.compare);
        Fakes.SEEN.clear();
        touch(view, MotionEvent.ACTION_DOWN, view.getWidth() / 2f, view.getHeight() - 1);
        touch(view, MotionEvent.ACTION_UP, view.getWidth() / 2f, view.getHeight() - 1);
        pass(500);
        Screens.awaitIdle(activity);
        assertTrue(Fakes.SEEN.isEmpty());
    }

    @Test
    public void aScreenReaderFocusesOnTheMiddle() throws Exception {
        MainActivity activity = rendered(photo).get();
        Fakes.SEEN.clear();
        activity.findViewById(R.id.compare)
                .performAccessibilityAction(R.id.focus_middle, null);
        Screens.awaitIdle(activity);
        assertFocus(0.5f, 0.5f);
    }

    @Test
    public void aRotationKeepsTheFocus() throws Exception {
        ActivityController<MainActivity> controller = rendered(photo);
        tap(controller.get(), 0.7f, 0.3f);
        Fakes.SEEN.clear();
        controller.recreate();
        Screens.awaitIdle(controller.get());
        assertTrue("rendered anew", Fakes.SEEN.isEmpty());
        assertEquals("Sharp where you tapped.", hint(controller.get()));
    }

    @Test
    public void theEndOfTheProcessKeepsTheFocus() throws Exception {
        ActivityController<MainActivity> controller = rendered(photo);
        tap(controller.get(), 0.7f, 0.3f);
        Bundle state = Screens.ended(controller);
        Fakes.SEEN.clear();
        MainActivity again = Screens.restored(state);
        assertFocus(0.7f, 0.3f);
        assertEquals("Sharp where you tapped.", hint(again));
    }

    @Test
    public void theFocusThatIsShownIsSaved() throws Exception {
        MainActivity activity = rendered(photo).get();
        tap(activity, 0.7f, 0.3f);
        File saved = new File(temporary.getRoot(), "saved.jpg");
        new Fakes.GalleryProvider(saved);
        activity.findViewById(R.id.save).performClick();
        Screens.awaitIdle(activity);
        Bitmap before = BitmapFactory.decodeFile(photo.getPath());
        Bitmap after = BitmapFactory.decodeFile(saved.getPath());
        double there = brightness(after, 420, 240) - brightness(before, 420, 240);
        double elsewhere = brightness(after, 180, 640) - brightness(before, 180, 640);
        assertTrue("where it was tapped: " + there, there > 8);
        assertTrue("elsewhere: " + elsewhere, Math.abs(elsewhere) < 3);
    }

    private static double brightness(Bitmap picture, int x, int y) {
        double sum = 0;
        for (int pixel = 0; pixel < 81; pixel++) {
            sum += Color.green(picture.getPixel(x - 4 + pixel % 9, y - 4 + pixel / 9));
        }
        return sum / 81;
    }

    @Test
    public void anotherPhotoStartsWithAutomaticFocus() throws Exception {
        ActivityController<MainActivity> controller = rendered(photo);
        tap(controller.get(), 0.7f, 0.3f);
        Fakes.SEEN.clear();
        controller.newIntent(Fakes.sharing(photo));
        Screens.awaitIdle(controller.get());
        assertAutomatic();
        assertEquals("Tap what should be sharp.", hint(controller.get()));
    }
}
