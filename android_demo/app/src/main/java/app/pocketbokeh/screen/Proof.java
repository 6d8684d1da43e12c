package app.pocketbokeh.screen;

import android.content.Context;
import android.net.Uri;
import android.os.Build;
import android.os.Handler;
import android.os.Looper;
import android.system.Os;
import android.system.OsConstants;
import android.util.AtomicFile;
import app.pocketbokeh.R;
import app.pocketbokeh.model.Accelerator;
import app.pocketbokeh.model.BundledModel;
import app.pocketbokeh.model.Trial;
import app.pocketbokeh.photo.SharedFiles;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/**
 * The proof: runs every model on every accelerator, one after the other, and compares the results
 * with the golden pairs. It survives a rotation of the screen.
 */
final class Proof {
    private static final int RUNS = 10;
    private static final String FILE = "proof.json";
    private static final int SCHEMA_VERSION = 1;

    private final Context context;
    private final Handler main = new Handler(Looper.getMainLooper());
    private final ExecutorService worker;
    private final Models models;

    private Session.Listener listener = () -> {};
    private final List<Trial> trials = new ArrayList<>();
    private String progress = "";
    private boolean busy;
    private boolean shared;
    private volatile boolean cancelled;

    Proof(Context context) {
        this.context = context.getApplicationContext();
        worker = BokehApp.of(context).worker();
        models = BokehApp.of(context).models();
    }

    void listen(Session.Listener listener) {
        this.listener = listener;
    }

    boolean isBusy() {
        return busy;
    }

    List<Trial> trials() {
        return trials;
    }

    String progress() {
        return progress;
    }

    Uri uri() {
        return SharedFiles.uri(FILE);
    }

    /** Whether a file is ready to share; returns true once. */
    boolean takeShared() {
        boolean ready = shared;
        shared = false;
        return ready;
    }

    void start() {
        if (busy) {
            return;
        }
        busy = true;
        cancelled = false;
        trials.clear();
        progress = "";
        listener.onChanged();
        worker.execute(this::run);
    }

    void cancel() {
        cancelled = true;
    }

    private void run() {
        String said = "";
        models.close(); // Else the model of the last photo would stay open beside the tried ones.
        try {
            for (BundledModel model : models.bundle().models()) {
                for (Accelerator accelerator : Accelerator.values()) {
                    if (!cancelled) {
                        attempt(model, accelerator);
                    }
                }
            }
        } catch (IOException error) {
            said = context.getString(R.string.failed, error.getMessage());
        }
        String last = said;
        tell(
                () -> {
                    busy = false;
                    progress = last;
                    if (!trials.isEmpty()) {
                        write(context.getExternalFilesDir(null));
                    }
                });
    }

    private void attempt(BundledModel model, Accelerator accelerator) throws IOException {
        String name = model.recipe() + " · " + accelerator;
        tell(() -> progress = name);
        Trial trial =
                Trial.of(models.bundle(), model, accelerator, Models.opener, RUNS, () -> cancelled);
        models.learnFrom(trial);
        if (!cancelled) {
            tell(() -> trials.add(trial));
        }
    }

    private void tell(Runnable change) {
        main.post(
                () -> {
                    change.run();
                    listener.onChanged();
                });
    }

    /** Writes the file to share. */
    void share() {
        shared = write(SharedFiles.file(context, FILE).getParentFile());
        listener.onChanged();
    }

    /** Writes proof.json into a folder; a computer can read the app's external folder over adb. */
    private boolean write(File folder) {
        if (folder == null) {
            return false;
        }
        AtomicFile file = new AtomicFile(new File(folder, FILE)); // It may be read meanwhile.
        FileOutputStream out = null;
        try {
            byte[] content = toJson().toString(2).getBytes(StandardCharsets.UTF_8);
            out = file.startWrite();
            out.write(content);
            file.finishWrite(out);
            return true;
        } catch (IOException | JSONException error) {
            file.failWrite(out);
            progress = context.getString(R.string.failed, error.getMessage());
            return false;
        }
    }

    private JSONObject toJson() throws IOException, JSONException {
        JSONObject proof = new JSONObject();
        proof.put("schema_version", SCHEMA_VERSION);
        proof.put("app", models.version());
        proof.put("bundle", models.bundle().name());
        proof.put("manufacturer", Build.MANUFACTURER);
        proof.put("phone", Build.MODEL);
        proof.put("hardware", Build.HARDWARE);
        proof.put("android", Build.VERSION.RELEASE);
        proof.put("api", Build.VERSION.SDK_INT);
        proof.put("abi", Build.SUPPORTED_ABIS[0]);
        proof.put("page_size", Os.sysconf(OsConstants._SC_PAGESIZE));
        proof.put("runs", RUNS);
        JSONArray entries = new JSONArray();
        for (Trial trial : trials) {
            entries.put(trial.toJson());
        }
        return proof.put("trials", entries);
    }

    void close() {
        cancelled = true;
        listener = () -> {};
    }
}
