package app.pocketbokeh.screen;

import android.app.ActivityManager;
import android.content.Context;
import android.content.SharedPreferences;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.os.Build;
import app.pocketbokeh.model.Accelerator;
import app.pocketbokeh.model.AcceleratorException;
import app.pocketbokeh.model.AutoChoice;
import app.pocketbokeh.model.BundledModel;
import app.pocketbokeh.model.Candidate;
import app.pocketbokeh.model.TfliteRenderer;
import app.pocketbokeh.model.ModelBundle;
import app.pocketbokeh.model.Renderer;
import app.pocketbokeh.model.Trial;
import app.pocketbokeh.picture.NetworkInput;
import app.pocketbokeh.picture.Picture;
import app.pocketbokeh.picture.Planes;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Opens the app's models and chooses which one renders. Except for the user's choice, it must be
 * used on the worker thread: a GPU context belongs to the thread that created it.
 */
final class Models {
    private static final String CHOSEN = "chosen";

    /** The folder of the models in the assets; tests replace it. */
    static String folder = "bundle";

    /** Tests replace it to simulate accelerators. */
    static Trial.Opener opener = Models::openOnThisPhone;

    private final Context context;
    private ModelBundle bundle;
    private AutoChoice auto;
    private Renderer renderer;
    private String opened = "";

    Models(Context context) {
        this.context = context;
    }

    private static Renderer openOnThisPhone(java.nio.ByteBuffer model, Accelerator accelerator)
            throws AcceleratorException {
        int threads = Math.max(1, Math.min(4, Runtime.getRuntime().availableProcessors()));
        return TfliteRenderer.open(model, accelerator, threads);
    }

    private SharedPreferences preferences(String name) {
        return context.getSharedPreferences(name, Context.MODE_PRIVATE);
    }

    /** The candidate that the user chose; null for the automatic choice. */
    Candidate chosen() {
        return Candidate.parse(preferences("models").getString(CHOSEN, ""));
    }

    /** Stores the user's choice; null for the automatic choice. */
    void choose(Candidate candidate) {
        String text = candidate == null ? "" : candidate.toString();
        preferences("models").edit().putString(CHOSEN, text).apply();
    }

    /**
     * Reads the bundle in the assets.
     *
     * @throws IOException if it is missing or damaged
     */
    ModelBundle bundle() throws IOException {
        if (bundle == null) {
            bundle =
                    ModelBundle.read(
                            name -> context.getAssets().open(folder + "/" + name),
                            Models::readPng);
        }
        return bundle;
    }

    private static Picture readPng(byte[] png) throws IOException {
        BitmapFactory.Options options = new BitmapFactory.Options();
        options.inPreferredConfig = Bitmap.Config.ARGB_8888;
        Bitmap bitmap = BitmapFactory.decodeByteArray(png, 0, png.length, options);
        if (bitmap == null) {
            throw new IOException("a golden picture is damaged");
        }
        Picture picture = pictureOf(bitmap);
        bitmap.recycle();
        return picture;
    }

    /** Copies a bitmap, converted to sRGB. */
    static Picture pictureOf(Bitmap bitmap) {
        int height = bitmap.getHeight();
        int width = bitmap.getWidth();
        int[] pixels = new int[height * width];
        bitmap.getPixels(pixels, 0, width, 0, 0, width, height);
        return Picture.ofPixels(height, width, pixels);
    }

    /** The automatic choice for this phone. */
    AutoChoice auto() throws IOException {
        if (auto == null) {
            String phone = Build.FINGERPRINT + " " + version() + " " + bundle().name();
            for (BundledModel model : bundle().models()) {
                phone += " " + model.sha256();
            }
            ActivityManager manager = context.getSystemService(ActivityManager.class);
            auto = new AutoChoice(preferences("auto"), phone, manager);
        }
        return auto;
    }

    String version() {
        try {
            return context.getPackageManager()
                    .getPackageInfo(context.getPackageName(), 0)
                    .versionName;
        } catch (android.content.pm.PackageManager.NameNotFoundException error) {
            throw new IllegalStateException(error);
        }
    }

    /**
     * The renderings of a photo's views.
     *
     * @param by the candidate that rendered them
     * @param instead why the candidate that the user chose failed; empty if it did not
     */
    record Rendered(List<Planes> views, Candidate by, String instead) {}

    /** Fits a photo to a model. */
    interface Fitting {
        /** Makes the network's inputs; is called once for every model that is tried. */
        List<NetworkInput> inputsFor(BundledModel model) throws Exception;
    }

    /**
     * Renders with the candidate that the user chose. If there is none or it fails, renders with the
     * fastest correct one; candidates that fail are excluded.
     *
     * @param shape height and width of the photo
     * @throws AcceleratorException if no candidate is correct; names every reason
     */
    Rendered render(int[] shape, Fitting fitting, Trial.Cancelled cancelled) throws Exception {
        Candidate chosen = chosen();
        String instead = "";
        if (chosen != null && bundle().recipes().contains(chosen.recipe())) {
            try {
                refuseWrong(chosen);
                return new Rendered(renderWith(chosen, shape, fitting), chosen, "");
            } catch (AcceleratorException error) {
                instead = error.getMessage();
                auto().exclude(chosen.toString(), instead);
            }
        }
        while (true) {
            Candidate fastest = auto().fastest();
            if (fastest == null) {
                close(); // Two open models may not fit into the GPU's memory.
                fastest = auto().find(bundle(), shape, opener, cancelled);
            }
            try {
                return new Rendered(renderWith(fastest, shape, fitting), fastest, instead);
            } catch (AcceleratorException error) {
                auto().exclude(fastest.toString(), error.getMessage());
            }
        }
    }

    /** Whether a candidate's results were found wrong on this phone. */
    boolean isWrong(Candidate candidate) {
        try {
            return auto().isWrong(candidate);
        } catch (IOException error) {
            return false; // Without a bundle nothing was rendered.
        }
    }

    private void refuseWrong(Candidate candidate) throws AcceleratorException, IOException {
        if (auto().isWrong(candidate)) {
            throw new AcceleratorException(auto().reasonAgainst(candidate), null);
        }
    }

    /** Excludes what the proof found wrong, so that it renders nothing more. */
    void learnFrom(Trial trial) throws IOException {
        if (trial.isWrong()) {
            Candidate wrong = new Candidate(trial.model().recipe(), trial.accelerator());
            auto().exclude(wrong.toString(), trial.reason());
        }
    }

    private List<Planes> renderWith(Candidate candidate, int[] shape, Fitting fitting)
            throws Exception {
        BundledModel model = bundle().nearestShape(candidate.recipe(), shape[0], shape[1]);
        String wanted = model.file() + candidate;
        if (!wanted.equals(opened)) {
            close();
            open(model, candidate.accelerator());
            opened = wanted;
        }
        List<NetworkInput> inputs = fitting.inputsFor(model);
        List<Planes> views = new ArrayList<>();
        try {
            for (NetworkInput input : inputs) {
                views.add(renderer.render(input));
            }
            return views;
        } catch (AcceleratorException error) {
            close();
            throw error;
        }
    }

    /** Opens a model. Nothing is shown of one that does not give its golden outputs here and now. */
    private void open(BundledModel model, Accelerator accelerator) throws AcceleratorException {
        try {
            renderer = opener.open(bundle().content(model), accelerator);
            Trial.check(bundle(), model, renderer);
        } catch (AcceleratorException error) {
            close();
            throw error;
        } catch (IOException error) {
            close();
            throw new AcceleratorException(error.getMessage(), error);
        }
    }

    /** Closes the model that is open. */
    void close() {
        if (renderer != null) {
            renderer.close();
            renderer = null;
            opened = "";
        }
    }
}
