package app.pocketbokeh.screen;

import android.graphics.Canvas;
import android.graphics.Paint;
import android.graphics.RectF;
import android.os.SystemClock;
import app.pocketbokeh.picture.FocusPoint;

/** A ring that shows for a moment where the photo is kept sharp, and fades. */
final class FocusRing {
    private static final long SHOWN_MILLISECONDS = 1200;
    private static final long FADING_MILLISECONDS = 600;

    private final Paint paint = new Paint(Paint.ANTI_ALIAS_FLAG);
    private final float density;
    private FocusPoint focus;
    private long since;

    FocusRing(float density) {
        this.density = density;
        paint.setStyle(Paint.Style.STROKE);
    }

    /** Sets where it is; null for nowhere. It appears only at a new place. */
    void moveTo(FocusPoint place) {
        if (place != null && !place.equals(focus)) {
            since = SystemClock.uptimeMillis();
        }
        focus = place;
    }

    /**
     * Draws the ring.
     *
     * @param photo where the photo is drawn
     * @return whether it must be drawn again, because it fades
     */
    boolean draw(Canvas canvas, RectF photo) {
        float opacity = opacity();
        if (opacity == 0) {
            return false;
        }
        float x = photo.left + focus.x() * photo.width();
        float y = photo.top + focus.y() * photo.height();
        // Dark around light, so that it is seen on any photo.
        drawCircle(canvas, x, y, 5 * density, 0x000000, opacity / 2);
        drawCircle(canvas, x, y, 2.5f * density, 0xffffff, opacity);
        return true;
    }

    private void drawCircle(
            Canvas canvas, float x, float y, float stroke, int color, float opacity) {
        paint.setStrokeWidth(stroke);
        paint.setColor(color | Math.round(255 * opacity) << 24);
        canvas.drawCircle(x, y, 30 * density, paint);
    }

    private float opacity() {
        if (focus == null) {
            return 0;
        }
        long fading = SystemClock.uptimeMillis() - since - SHOWN_MILLISECONDS;
        return Math.max(0, Math.min(1, 1 - (float) fading / FADING_MILLISECONDS));
    }
}
