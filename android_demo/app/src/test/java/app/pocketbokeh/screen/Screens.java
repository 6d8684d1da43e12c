package app.pocketbokeh.screen;

import android.app.Activity;
import android.graphics.Bitmap;
import android.graphics.Canvas;
import android.os.Bundle;
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

/** Opens screens, waits for them and takes screenshots. */
final class Screens {
    private Screens() {}

    /** Opens the main screen with a photo that another app shares. */
    static ActivityController<MainActivity> shared(File photo) {
        return Robolectric.buildActivity(MainActivity.class, Fakes.sharing(photo)).setup();
    }

    /** Ends a screen as Android ends a process; gives the state that it has saved. */
    static Bundle ended(ActivityController<MainActivity> controller) throws InterruptedException {
        awaitIdle(controller.get());
        Bundle state = new Bundle();
        controller.saveInstanceState(state).pause().stop().destroy();
        return state;
    }

    /** Opens the main screen again from a saved state, as after the end of its process. */
    static MainActivity restored(Bundle state) throws InterruptedException {
        MainActivity activity =
                Robolectric.buildActivity(MainActivity.class)
                        .create(state)
                        .start()
                        .restoreInstanceState(state)
                        .resume()
                        .visible()
                        .get();
        awaitIdle(activity);
        return activity;
    }

    /** Runs the main thread until a condition holds, for a minute at most. */
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

    /** Runs the main thread until the app is idle. */
    static void awaitIdle(Activity activity) throws InterruptedException {
        await(() -> activity.findViewById(R.id.working).getVisibility() == View.GONE);
    }

    /** The status text of the main screen, with or without a photo. */
    static String told(Activity activity) {
        TextView status = activity.findViewById(R.id.status);
        TextView first = activity.findViewById(R.id.first_status);
        return status.getText().toString() + first.getText();
    }

    /** Takes a screenshot; writes it to the folder of the property `screenshots`, if it is set. */
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
