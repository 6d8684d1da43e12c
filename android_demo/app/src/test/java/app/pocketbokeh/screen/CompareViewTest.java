package app.pocketbokeh.screen;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertTrue;

import android.app.Activity;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.Color;
import android.os.Looper;
import android.os.SystemClock;
import android.view.MotionEvent;
import android.view.accessibility.AccessibilityNodeInfo;
import android.widget.FrameLayout;
import java.time.Duration;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.Shadows;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;

/** Gestures on the photo. The original is black, the bokeh white. */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 35, qualifiers = "w400dp-h400dp-mdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
public class CompareViewTest {
    private CompareView view;

    @Before
    public void show() {
        Activity activity = Robolectric.setupActivity(Activity.class);
        view = new CompareView(activity, null);
        FrameLayout around = new FrameLayout(activity);
        around.addView(view);
        activity.setContentView(around);
        around.measure(exactly(400), exactly(400));
        around.layout(0, 0, 400, 400);
        view.show(filled(Color.BLACK), filled(Color.WHITE), 1);
    }

    private static int exactly(int size) {
        return android.view.View.MeasureSpec.makeMeasureSpec(
                size, android.view.View.MeasureSpec.EXACTLY);
    }

    private static Bitmap filled(int color) {
        Bitmap bitmap = Bitmap.createBitmap(200, 200, Bitmap.Config.ARGB_8888);
        bitmap.eraseColor(color);
        return bitmap;
    }

    private int brightnessAt(int x, int y) {
        Bitmap drawn = Bitmap.createBitmap(400, 400, Bitmap.Config.ARGB_8888);
        view.draw(new Canvas(drawn));
        return Color.red(drawn.getPixel(x, y));
    }

    private void touch(int action, float x, float y) {
        long now = SystemClock.uptimeMillis();
        MotionEvent event = MotionEvent.obtain(now, now, action, x, y, 0);
        view.dispatchTouchEvent(event);
        event.recycle();
    }

    /** Two fingers on a level line, so far from its middle; nearer than 14 mm Android sees one. */
    private void pinch(int action, long start, float middle, float apart) {
        MotionEvent.PointerProperties[] fingers = new MotionEvent.PointerProperties[2];
        MotionEvent.PointerCoords[] places = new MotionEvent.PointerCoords[2];
        for (int finger = 0; finger < 2; finger++) {
            fingers[finger] = new MotionEvent.PointerProperties();
            fingers[finger].id = finger;
            fingers[finger].toolType = MotionEvent.TOOL_TYPE_FINGER;
            places[finger] = new MotionEvent.PointerCoords();
            places[finger].x = middle + (finger == 0 ? -apart : apart);
            places[finger].y = 200;
        }
        long now = SystemClock.uptimeMillis();
        MotionEvent event =
                MotionEvent.obtain(
                        start, now, action, 2, fingers, places, 0, 0, 1, 1, 0, 0, 0, 0);
        view.dispatchTouchEvent(event);
        event.recycle();
        pass(16);
    }

    private static void pass(int milliseconds) {
        Shadows.shadowOf(Looper.getMainLooper()).idleFor(Duration.ofMillis(milliseconds));
    }

    @Test
    public void theLineFollowsTheFinger() {
        assertEquals(0, brightnessAt(100, 300));
        assertEquals(255, brightnessAt(300, 300));
        touch(MotionEvent.ACTION_DOWN, 200, 350);
        touch(MotionEvent.ACTION_MOVE, 150, 350);
        touch(MotionEvent.ACTION_MOVE, 80, 350);
        touch(MotionEvent.ACTION_UP, 80, 350);
        assertEquals(0.2f, view.split(), 0.01f);
        assertEquals(255, brightnessAt(100, 300));
    }

    @Test
    public void touchAndHoldShowsTheOriginal() {
        touch(MotionEvent.ACTION_DOWN, 300, 300);
        pass(1000);
        assertTrue(view.showsOriginal());
        assertEquals(0, brightnessAt(300, 300));
        touch(MotionEvent.ACTION_UP, 300, 300);
        assertFalse(view.showsOriginal());
        assertEquals(255, brightnessAt(300, 300));
    }

    @Test
    public void strengthBlendsOriginalAndBokeh() {
        view.show(filled(Color.BLACK), filled(Color.WHITE), 0.5f);
        assertEquals(128, brightnessAt(300, 300), 1);
        view.show(filled(Color.BLACK), filled(Color.WHITE), 0);
        assertEquals(0, brightnessAt(300, 300));
    }

    @Test
    public void aDoubleTapZoomsAndAFingerMovesThePhoto() {
        for (int tap = 0; tap < 2; tap++) {
            touch(MotionEvent.ACTION_DOWN, 380, 380);
            touch(MotionEvent.ACTION_UP, 380, 380);
            pass(60);
        }
        assertEquals(3, view.zoom(), 0.01f);
        // The line is now beyond the left edge, so only the bokeh is visible.
        assertEquals(255, brightnessAt(5, 300));
        touch(MotionEvent.ACTION_DOWN, 50, 200);
        touch(MotionEvent.ACTION_MOVE, 200, 200);
        touch(MotionEvent.ACTION_MOVE, 390, 200);
        touch(MotionEvent.ACTION_MOVE, 399, 200);
        touch(MotionEvent.ACTION_UP, 399, 200);
        touch(MotionEvent.ACTION_DOWN, 50, 200);
        touch(MotionEvent.ACTION_MOVE, 390, 200);
        touch(MotionEvent.ACTION_UP, 390, 200);
        assertEquals("the photo did not move", 0, brightnessAt(5, 300));
        assertEquals("the line moved with it", 0.5f, view.split(), 0.001f);
    }

    @Test
    public void twoFingersZoomAboutTheirMiddleAndBack() {
        long start = SystemClock.uptimeMillis();
        int second = 1 << MotionEvent.ACTION_POINTER_INDEX_SHIFT;
        touch(MotionEvent.ACTION_DOWN, 200, 200);
        pinch(MotionEvent.ACTION_POINTER_DOWN | second, start, 300, 90);
        for (float apart = 90; apart <= 180; apart += 9) {
            pinch(MotionEvent.ACTION_MOVE, start, 300, apart);
        }
        assertEquals("fingers twice as far apart", 2, view.zoom(), 0.5);
        assertEquals("the line does not follow two fingers", 0.5f, view.split(), 0.001f);
        // The point between the fingers, right of the line, stays; the line moves to the left.
        assertEquals(255, brightnessAt(300, 300));
        assertEquals(255, brightnessAt(170, 300));
        for (float apart = 180; apart >= 87; apart -= 9) {
            pinch(MotionEvent.ACTION_MOVE, start, 300, apart);
        }
        assertEquals("never smaller than the screen", 1, view.zoom(), 0.01);
        pinch(MotionEvent.ACTION_POINTER_UP | second, start, 300, 90);
        touch(MotionEvent.ACTION_UP, 280, 200);
        assertFalse(view.showsOriginal());
    }

    @Test
    public void aScreenReaderMovesTheLine() {
        AccessibilityNodeInfo info = view.createAccessibilityNodeInfo();
        assertEquals(50, info.getRangeInfo().getCurrent(), 0.1);
        view.performAccessibilityAction(AccessibilityNodeInfo.ACTION_SCROLL_FORWARD, null);
        assertEquals(0.6f, view.split(), 0.001f);
    }
}
