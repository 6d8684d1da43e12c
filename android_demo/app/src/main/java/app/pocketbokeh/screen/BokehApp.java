package app.pocketbokeh.screen;

import android.app.Application;
import android.content.Context;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Holds what all screens share: the models and the one thread that they run on. A GPU context
 * belongs to the thread that created it, and two open models may not fit into the GPU's memory.
 */
public final class BokehApp extends Application {
    private final ExecutorService worker =
            Executors.newSingleThreadExecutor(task -> new Thread(task, "bokeh"));
    private final Models models = new Models(this);

    static BokehApp of(Context context) {
        return (BokehApp) context.getApplicationContext();
    }

    /** Runs the tasks of all screens, one after the other. */
    ExecutorService worker() {
        return worker;
    }

    /** For use on the worker thread only, except for the user's choice. */
    Models models() {
        return models;
    }
}
