package app.pocketbokeh.screen;

import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.graphics.Paint;
import android.graphics.RectF;
import android.os.Bundle;
import android.os.Parcel;
import android.os.Parcelable;
import android.util.AttributeSet;
import android.view.GestureDetector;
import android.view.HapticFeedbackConstants;
import android.view.MotionEvent;
import android.view.ScaleGestureDetector;
import android.view.View;
import android.view.accessibility.AccessibilityNodeInfo;
import android.widget.SeekBar;
import app.pocketbokeh.R;
import app.pocketbokeh.picture.FocusPoint;

/**
 * Shows the original left of a line and the bokeh right of it. The line can be dragged; two fingers
 * zoom, and one finger moves the zoomed photo. Touch and hold shows the original. Where the network
 * can be told where to focus, a tap does that, and touch and hold returns to automatic focus.
 */
public final class CompareView extends View {
    private static final float LARGEST_ZOOM = 8;
    private static final float DOUBLE_TAP_ZOOM = 3;
    private static final float ACCESSIBLE_STEP = 0.1f;

    private final Paint picture = new Paint(Paint.FILTER_BITMAP_FLAG);
    private final Paint line = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final Paint label = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final Paint labelBack = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final RectF place = new RectF();
    private final FocusRing ring;
    private final GestureDetector gestures;
    private final ScaleGestureDetector pinch;
    private final float density;

    private Bitmap before;
    private Bitmap after;
    private float strength = 1;
    private float split = 0.5f;
    private float zoom = 1;
    private float centerX = 0.5f;
    private float centerY = 0.5f;
    private boolean holding;
    private boolean dragging;
    private FocusListener focusListener;

    /** Is told what the user wants to be sharp. */
    interface FocusListener {
        /** Takes a point, or null for automatic focus. */
        void onFocus(FocusPoint focus);
    }

    public CompareView(Context context, AttributeSet attributes) {
        super(context, attributes);
        density = getResources().getDisplayMetrics().density;
        ring = new FocusRing(density);
        line.setColor(0xffffffff);
        line.setShadowLayer(3 * density, 0, 0, 0x80000000);
        label.setColor(0xffffffff);
        label.setTextSize(getResources().getDimension(R.dimen.label));
        labelBack.setColor(0x99000000);
        Gestures listener = new Gestures();
        gestures = new GestureDetector(context, listener);
        pinch = new ScaleGestureDetector(context, listener);
        setFocusable(true);
        setSaveEnabled(true);
    }

    /**
     * Shows a photo.
     *
     * @param after null until it is rendered
     * @param strength of the bokeh, 0…1
     */
    void show(Bitmap before, Bitmap after, float strength) {
        if (before != this.before) {
            zoom = this.before == null ? zoom : 1;
            split = this.before == null ? split : 0.5f;
        }
        this.before = before;
        this.after = after;
        this.strength = strength;
        invalidate();
    }

    /**
     * Shows for a moment what is kept sharp.
     *
     * @param focus null for automatic focus
     * @param listener null if the network cannot be told where to focus
     */
    void showFocus(FocusPoint focus, FocusListener listener) {
        focusListener = listener;
        ring.moveTo(focus);
        invalidate();
    }

    Bitmap after() {
        return after;
    }

    /** The position of the line, 0…1 of the photo's width. */
    float split() {
        return split;
    }

    float zoom() {
        return zoom;
    }

    boolean showsOriginal() {
        return holding;
    }

    private void setSplit(float share) {
        split = Math.max(0, Math.min(1, share));
        invalidate();
    }

    private void zoomTo(float wanted, float focusX, float focusY) {
        layOut();
        float x = (focusX - place.left) / place.width();
        float y = (focusY - place.top) / place.height();
        zoom = Math.max(1, Math.min(LARGEST_ZOOM, wanted));
        centerX = 0.5f;
        centerY = 0.5f;
        layOut();
        centerX = 0.5f + (place.left + x * place.width() - focusX) / place.width();
        centerY = 0.5f + (place.top + y * place.height() - focusY) / place.height();
        invalidate();
    }

    /** Computes where the zoomed photo is drawn; a zoomed photo leaves no gap at the edges. */
    private void layOut() {
        float fit =
                Math.min(
                        (float) getWidth() / before.getWidth(),
                        (float) getHeight() / before.getHeight());
        float width = fit * zoom * before.getWidth();
        float height = fit * zoom * before.getHeight();
        centerX = within(centerX, width, getWidth());
        centerY = within(centerY, height, getHeight());
        float left = getWidth() / 2f - centerX * width;
        float top = getHeight() / 2f - centerY * height;
        place.set(left, top, left + width, top + height);
    }

    private static float within(float center, float size, float room) {
        if (size <= room) {
            return 0.5f;
        }
        float margin = room / size / 2;
        return Math.max(margin, Math.min(1 - margin, center));
    }

    @Override
    protected void onDraw(Canvas canvas) {
        if (before == null || getWidth() == 0) {
            return;
        }
        layOut();
        picture.setAlpha(255);
        canvas.drawBitmap(before, null, place, picture);
        if (after != null && !holding) {
            drawAfter(canvas);
        }
        if (ring.draw(canvas, place)) {
            postInvalidateOnAnimation();
        }
    }

    private void drawAfter(Canvas canvas) {
        float at = place.left + split * place.width();
        canvas.save();
        canvas.clipRect(at, 0, getWidth(), getHeight());
        picture.setAlpha(Math.round(255 * strength));
        canvas.drawBitmap(after, null, place, picture);
        canvas.restore();
        drawLine(canvas, at);
    }

    private void drawLine(Canvas canvas, float at) {
        float top = Math.max(0, place.top);
        float bottom = Math.min(getHeight(), place.bottom);
        canvas.drawRect(at - density, top, at + density, bottom, line);
        float middle = (top + bottom) / 2;
        float radius = 14 * density;
        canvas.drawCircle(at, middle, radius, line);
        labelBack.setStrokeWidth(2 * density);
        for (int side = -1; side <= 1; side += 2) {
            float tip = at + side * 9 * density;
            float back = at + side * 4 * density;
            canvas.drawLine(tip, middle, back, middle - 5 * density, labelBack);
            canvas.drawLine(tip, middle, back, middle + 5 * density, labelBack);
        }
        String original = getResources().getString(R.string.original);
        String bokeh = getResources().getString(R.string.bokeh);
        float gap = 12 * density;
        float lower = top + gap;
        drawLabel(canvas, original, Math.max(0, place.left) + gap, lower, at - gap);
        float width = label.measureText(bokeh) + 2 * gap;
        float right = Math.min(getWidth(), place.right) - gap - width;
        if (right > at + gap) {
            drawLabel(canvas, bokeh, right, lower, getWidth());
        }
    }

    private void drawLabel(Canvas canvas, String text, float left, float top, float limit) {
        float gap = 12 * density;
        float width = label.measureText(text) + 2 * gap;
        if (left + width > limit) {
            return;
        }
        float height = label.getTextSize() + gap;
        float round = height / 2;
        canvas.drawRoundRect(left, top, left + width, top + height, round, round, labelBack);
        float baseline = top + height / 2 - (label.ascent() + label.descent()) / 2;
        canvas.drawText(text, left + gap, baseline, label);
    }

    @Override
    public boolean onTouchEvent(MotionEvent event) {
        if (before == null) {
            return super.onTouchEvent(event);
        }
        layOut();
        pinch.onTouchEvent(event);
        gestures.onTouchEvent(event);
        switch (event.getActionMasked()) {
            case MotionEvent.ACTION_DOWN -> {
                getParent().requestDisallowInterceptTouchEvent(zoom > 1);
                float at = place.left + split * place.width();
                dragging = zoom == 1 || Math.abs(event.getX() - at) < 32 * density;
            }
            case MotionEvent.ACTION_POINTER_DOWN -> {
                getParent().requestDisallowInterceptTouchEvent(true);
                dragging = false;
            }
            case MotionEvent.ACTION_UP, MotionEvent.ACTION_CANCEL -> {
                holding = false;
                dragging = false;
                invalidate();
            }
            default -> {}
        }
        return true;
    }

    @Override
    public boolean performClick() {
        return super.performClick();
    }

    private void focusAt(float x, float y) {
        layOut();
        FocusPoint focus =
                new FocusPoint(
                        (x - place.left) / place.width(), (y - place.top) / place.height());
        if (focusListener != null && focus.isInside()) {
            focusListener.onFocus(focus);
        }
    }

    private final class Gestures extends GestureDetector.SimpleOnGestureListener
            implements ScaleGestureDetector.OnScaleGestureListener {
        @Override
        public boolean onScroll(MotionEvent from, MotionEvent to, float dx, float dy) {
            holding = false;
            // From here on the finger moves the line; a list around may have taken it before.
            getParent().requestDisallowInterceptTouchEvent(true);
            if (dragging) {
                setSplit((to.getX() - place.left) / place.width());
            } else {
                centerX += dx / place.width();
                centerY += dy / place.height();
                invalidate();
            }
            return true;
        }

        @Override
        public void onLongPress(MotionEvent event) {
            if (pinch.isInProgress()) {
                return;
            }
            if (focusListener != null) {
                performHapticFeedback(HapticFeedbackConstants.LONG_PRESS);
                focusListener.onFocus(null);
            } else {
                holding = true;
                invalidate();
            }
        }

        @Override
        public boolean onDoubleTap(MotionEvent event) {
            zoomTo(zoom > 1 ? 1 : DOUBLE_TAP_ZOOM, event.getX(), event.getY());
            return true;
        }

        @Override
        public boolean onSingleTapConfirmed(MotionEvent event) {
            focusAt(event.getX(), event.getY());
            return performClick();
        }

        @Override
        public boolean onScale(ScaleGestureDetector detector) {
            float wanted = zoom * detector.getScaleFactor();
            zoomTo(wanted, detector.getFocusX(), detector.getFocusY());
            return true;
        }

        @Override
        public boolean onScaleBegin(ScaleGestureDetector detector) {
            holding = false;
            return true;
        }

        @Override
        public void onScaleEnd(ScaleGestureDetector detector) {}
    }

    /** Screen readers treat the line as a slider, and focus on what is in the middle. */
    @Override
    public CharSequence getAccessibilityClassName() {
        return SeekBar.class.getName();
    }

    @Override
    public void onInitializeAccessibilityNodeInfo(AccessibilityNodeInfo info) {
        super.onInitializeAccessibilityNodeInfo(info);
        if (after != null) {
            info.setRangeInfo(
                    AccessibilityNodeInfo.RangeInfo.obtain(
                            AccessibilityNodeInfo.RangeInfo.RANGE_TYPE_PERCENT,
                            0,
                            100,
                            split * 100));
            info.addAction(AccessibilityNodeInfo.AccessibilityAction.ACTION_SCROLL_FORWARD);
            info.addAction(AccessibilityNodeInfo.AccessibilityAction.ACTION_SCROLL_BACKWARD);
        }
        if (focusListener != null) {
            info.addAction(
                    new AccessibilityNodeInfo.AccessibilityAction(
                            R.id.focus_middle, getResources().getString(R.string.focus_middle)));
        }
    }

    @Override
    public boolean performAccessibilityAction(int action, Bundle arguments) {
        if (action == AccessibilityNodeInfo.ACTION_SCROLL_FORWARD) {
            setSplit(split + ACCESSIBLE_STEP);
            return true;
        }
        if (action == AccessibilityNodeInfo.ACTION_SCROLL_BACKWARD) {
            setSplit(split - ACCESSIBLE_STEP);
            return true;
        }
        if (action == R.id.focus_middle) {
            focusAt(getWidth() / 2f, getHeight() / 2f);
            return true;
        }
        return super.performAccessibilityAction(action, arguments);
    }

    @Override
    protected Parcelable onSaveInstanceState() {
        Saved saved = new Saved(super.onSaveInstanceState());
        saved.values = new float[] {split, zoom, centerX, centerY};
        return saved;
    }

    @Override
    protected void onRestoreInstanceState(Parcelable state) {
        Saved saved = (Saved) state;
        super.onRestoreInstanceState(saved.getSuperState());
        split = saved.values[0];
        zoom = saved.values[1];
        centerX = saved.values[2];
        centerY = saved.values[3];
    }

    /** Keeps the line and the zoom when the screen is restored. */
    private static final class Saved extends BaseSavedState {
        public static final Parcelable.Creator<Saved> CREATOR =
                new Parcelable.Creator<>() {
                    @Override
                    public Saved createFromParcel(Parcel parcel) {
                        return new Saved(parcel);
                    }

                    @Override
                    public Saved[] newArray(int size) {
                        return new Saved[size];
                    }
                };

        private float[] values;

        Saved(Parcelable parent) {
            super(parent);
        }

        Saved(Parcel parcel) {
            super(parcel);
            values = parcel.createFloatArray();
        }

        @Override
        public void writeToParcel(Parcel parcel, int flags) {
            super.writeToParcel(parcel, flags);
            parcel.writeFloatArray(values);
        }
    }
}
