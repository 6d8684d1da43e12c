package app.pocketbokeh.screen;

import android.app.Activity;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.os.Looper;
import android.view.View;
import android.widget.TextView;
import app.pocketbokeh.R;
import java.io.File;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.util.function.BooleanSupplier;
import org.robolectric.Robolectric;
import org.robolectric.Shadows;
import org.robolectric.android.controller.ActivityController;

/** Waiting for a screen and taking its picture. */
final class Screens {
    private Screens() {}

    /** The first screen with a photo that another app shares to it. */
    static ActivityController<MainActivity> shared(File photo) {
        return Robolectric.buildActivity(MainActivity.class, Fakes.sharing(photo)).setup();
    }

    /** Lets the main thread work until something is so. */
    static void await(BooleanSupplier condition) throws InterruptedException {
        long end = System.currentTimeMillis() + 60_000;
        while (!condition.getAsBoolean()) {
            if (System.currentTimeMillis() > end) {
                throw new AssertionError("it did not happen within a minute");
            }
            Thread.sleep(10);
            Shadows.shadowOf(Looper.getMainLooper()).idle();
        }
        Shadows.shadowOf(Looper.getMainLooper()).idle();
    }

    /** Lets the main thread work until the app no longer does. */
    static void awaitIdle(Activity activity) throws InterruptedException {
        await(() -> activity.findViewById(R.id.working).getVisibility() == View.GONE);
    }

    /** What the first screen tells: of the photo, or where there is none. */
    static String told(Activity activity) {
        TextView status = activity.findViewById(R.id.status);
        TextView first = activity.findViewById(R.id.first_status);
        return status.getText().toString() + first.getText();
    }

    /** Writes what the screen shows to the folder of the property `screenshots`, if it is set. */
    static Bitmap shoot(Activity activity, String name) throws Exception {
        View window = activity.getWindow().getDecorView();
        Bitmap picture =
                Bitmap.createBitmap(
                        window.getWidth(), window.getHeight(), Bitmap.Config.ARGB_8888);
        window.draw(new Canvas(picture));
        String folder = System.getProperty("screenshots");
        if (folder != null) {
            try (OutputStream out = new FileOutputStream(new File(folder, name + ".png"))) {
                picture.compress(Bitmap.CompressFormat.PNG, 100, out);
            }
        }
        return picture;
    }
}
