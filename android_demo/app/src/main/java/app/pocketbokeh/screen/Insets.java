package app.pocketbokeh.screen;

import android.app.Activity;
import android.os.Build;
import android.view.DisplayCutout;
import android.view.View;

/** Lets a screen reach from edge to edge, its content within what the system's bars leave free. */
final class Insets {
    private Insets() {}

    // Deprecated, but the same on every Android from 8 on.
    @SuppressWarnings("deprecation")
    static void reachEdges(Activity activity, View content) {
        View decor = activity.getWindow().getDecorView();
        decor.setSystemUiVisibility(
                decor.getSystemUiVisibility()
                        | View.SYSTEM_UI_FLAG_LAYOUT_STABLE
                        | View.SYSTEM_UI_FLAG_LAYOUT_FULLSCREEN
                        | View.SYSTEM_UI_FLAG_LAYOUT_HIDE_NAVIGATION);
        content.setOnApplyWindowInsetsListener(
                (view, insets) -> {
                    int left = insets.getSystemWindowInsetLeft();
                    int top = insets.getSystemWindowInsetTop();
                    int right = insets.getSystemWindowInsetRight();
                    int bottom = insets.getSystemWindowInsetBottom();
                    if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) {
                        DisplayCutout cutout = insets.getDisplayCutout();
                        if (cutout != null) {
                            left = Math.max(left, cutout.getSafeInsetLeft());
                            top = Math.max(top, cutout.getSafeInsetTop());
                            right = Math.max(right, cutout.getSafeInsetRight());
                            bottom = Math.max(bottom, cutout.getSafeInsetBottom());
                        }
                    }
                    view.setPadding(left, top, right, bottom);
                    return insets;
                });
    }
}
