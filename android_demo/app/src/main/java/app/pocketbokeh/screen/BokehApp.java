package app.pocketbokeh.screen;

import android.app.Application;
import android.content.Context;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * What all screens share: the models, and the one thread that they run on. A GPU's context belongs
 * to the thread that made it, and two models at a time could be more than its memory.
 */
public final class BokehApp extends Application {
    private final ExecutorService worker =
            Executors.newSingleThreadExecutor(task -> new Thread(task, "bokeh"));
    private final Models models = new Models(this);

    static BokehApp of(Context context) {
        return (BokehApp) context.getApplicationContext();
    }

    /** Runs one task after the other, of whatever screen. */
    ExecutorService worker() {
        return worker;
    }

    /** For the worker alone, but for the user's choice. */
    Models models() {
        return models;
    }
}
