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
import android.view.View;
import android.view.accessibility.AccessibilityNodeInfo;
import android.widget.FrameLayout;
import android.widget.ScrollView;
import app.pocketbokeh.picture.FocusPoint;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
        send(view, action, x, y);
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
    public void aRingShowsTheFocusAndFades() {
        view.showFocus(new FocusPoint(0.25f, 0.5f), focus -> {});
        assertEquals("on the ring", 255, brightnessAt(130, 200), 3);
        assertEquals("in the ring", 0, brightnessAt(100, 200));
        pass(3000);
        assertEquals(0, brightnessAt(130, 200));
        view.showFocus(new FocusPoint(0.25f, 0.5f), focus -> {});
        assertEquals("only at a new place", 0, brightnessAt(130, 200));
        view.showFocus(null, focus -> {});
        view.showFocus(new FocusPoint(0.25f, 0.5f), focus -> {});
        assertEquals(255, brightnessAt(130, 200), 3);
    }

    @Test
    public void aTapTellsThePlaceInAZoomedPhotoToo() {
        List<FocusPoint> told = new ArrayList<>();
        view.showFocus(null, told::add);
        touch(MotionEvent.ACTION_DOWN, 300, 100);
        touch(MotionEvent.ACTION_UP, 300, 100);
        pass(500);
        assertEquals(List.of(new FocusPoint(0.75f, 0.25f)), told);
        for (int tap = 0; tap < 2; tap++) {
            touch(MotionEvent.ACTION_DOWN, 400, 400);
            touch(MotionEvent.ACTION_UP, 400, 400);
            pass(100);
        }
        pass(500);
        assertEquals("a double tap zooms", 1, told.size());
        touch(MotionEvent.ACTION_DOWN, 400, 400);
        touch(MotionEvent.ACTION_UP, 400, 400);
        pass(500);
        assertEquals(new FocusPoint(1, 1), told.get(1));
    }

    @Test
    public void inAListAFingerThatMovesUpScrollsIt() {
        Activity activity = Robolectric.setupActivity(Activity.class);
        ScrollView list = new ScrollView(activity);
        FrameLayout content = new FrameLayout(activity);
        ((FrameLayout) view.getParent()).removeView(view);
        content.addView(view, 400, 400);
        content.setMinimumHeight(2000);
        list.addView(content);
        activity.setContentView(list);
        list.measure(exactly(400), exactly(400));
        list.layout(0, 0, 400, 400);
        swipe(list, 0, -20);
        assertTrue("not scrolled", list.getScrollY() > 50);
        assertEquals(0.5f, view.split(), 0.001f);
        list.scrollTo(0, 0);
        swipe(list, -20, 0);
        assertEquals(0, list.getScrollY());
        assertTrue("the line did not follow", view.split() < 0.4f);
    }

    private static void swipe(View list, float x, float y) {
        for (int step = 0; step <= 6; step++) {
            int action = step == 0 ? MotionEvent.ACTION_DOWN : MotionEvent.ACTION_MOVE;
            send(list, step == 6 ? MotionEvent.ACTION_UP : action, 200 + step * x, 300 + step * y);
            pass(16);
        }
        pass(1000);
    }

    private static void send(View to, int action, float x, float y) {
        long now = SystemClock.uptimeMillis();
        MotionEvent event = MotionEvent.obtain(now, now, action, x, y, 0);
        to.dispatchTouchEvent(event);
        event.recycle();
    }

    @Test
    public void aScreenReaderMovesTheLine() {
        AccessibilityNodeInfo info = view.createAccessibilityNodeInfo();
        assertEquals(50, info.getRangeInfo().getCurrent(), 0.1);
        view.performAccessibilityAction(AccessibilityNodeInfo.ACTION_SCROLL_FORWARD, null);
        assertEquals(0.6f, view.split(), 0.001f);
    }
}
