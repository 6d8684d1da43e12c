package app.pocketbokeh.screen;

import android.app.Activity;
import android.graphics.Rect;
import android.os.Build;
import android.view.DisplayCutout;
import android.view.View;
import android.view.WindowInsets;
import app.pocketbokeh.FromApi;

/** Draws a screen from edge to edge and keeps its content clear of system bars and cutouts. */
final class EdgeToEdge {
    private EdgeToEdge() {}

    // Deprecated, but works the same on every version since Android 8.
    @SuppressWarnings("deprecation")
    static void apply(Activity activity, View content) {
        View decor = activity.getWindow().getDecorView();
        decor.setSystemUiVisibility(
                decor.getSystemUiVisibility()
                        | View.SYSTEM_UI_FLAG_LAYOUT_STABLE
                        | View.SYSTEM_UI_FLAG_LAYOUT_FULLSCREEN
                        | View.SYSTEM_UI_FLAG_LAYOUT_HIDE_NAVIGATION);
        content.setOnApplyWindowInsetsListener(
                (view, insets) -> {
                    Rect free =
                            new Rect(
                                    insets.getSystemWindowInsetLeft(),
                                    insets.getSystemWindowInsetTop(),
                                    insets.getSystemWindowInsetRight(),
                                    insets.getSystemWindowInsetBottom());
                    if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) {
                        leaveCutoutFree(insets, free);
                    }
                    view.setPadding(free.left, free.top, free.right, free.bottom);
                    return insets;
                });
    }

    @FromApi(28)
    private static void leaveCutoutFree(WindowInsets insets, Rect free) {
        DisplayCutout cutout = insets.getDisplayCutout();
        if (cutout != null) {
            free.left = Math.max(free.left, cutout.getSafeInsetLeft());
            free.top = Math.max(free.top, cutout.getSafeInsetTop());
            free.right = Math.max(free.right, cutout.getSafeInsetRight());
            free.bottom = Math.max(free.bottom, cutout.getSafeInsetBottom());
        }
    }
}
