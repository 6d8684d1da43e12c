package app.pocketbokeh.screen;

import android.content.Context;
import android.graphics.Bitmap;
import android.net.Uri;
import android.os.Handler;
import android.os.Looper;
import app.pocketbokeh.R;
import app.pocketbokeh.model.AcceleratorException;
import app.pocketbokeh.model.Candidate;
import app.pocketbokeh.photo.FullSize;
import app.pocketbokeh.photo.Gallery;
import app.pocketbokeh.photo.PhotoException;
import app.pocketbokeh.photo.PhotoFile;
import app.pocketbokeh.photo.PhotoFolder;
import app.pocketbokeh.photo.SharedFiles;
import app.pocketbokeh.photo.StorageErrors;
import app.pocketbokeh.picture.DetailTransfer;
import app.pocketbokeh.picture.Framed;
import app.pocketbokeh.picture.Overlay;
import app.pocketbokeh.picture.Picture;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * One photo and what is done with it. It outlives the screen's rotation; everything slow happens
 * on one worker thread, and every change is told to the screen on the main thread.
 */
final class Session {
    /** Pixels of the longest side on the screen, with some to zoom into. */
    private static final int PREVIEW_SIDE = 2048;

    /** Told on the main thread whenever something changed. */
    interface Listener {
        void onChanged();
    }

    /** One piece of work, which may be cancelled. */
    private static final class Job {
        volatile boolean cancelled;
    }

    private interface Work {
        void run(Job job) throws Exception;
    }

    /**
     * A photo and what was made of it, replaced as one: what is on the screen is what is saved.
     *
     * @param before the photo, for the screen
     * @param after the rendering at full strength; null until it is there
     * @param overlay what the rendering does to the photo; null until it is there
     * @param by what rendered it; null until it is there
     */
    private record Shown(
            PhotoFile photo, Bitmap before, Bitmap after, Overlay overlay, Candidate by) {}

    private final Context context;
    private final Handler main = new Handler(Looper.getMainLooper());
    private final ExecutorService worker;
    private final Models models;
    private final PhotoFolder photos;

    private Listener listener = () -> {};
    private Job job;
    private StatusText message = StatusText.NONE;
    private volatile Shown shown; // changed on the main thread alone
    private float strength = 1;
    private Uri toShare;
    private Uri toSaveTo;

    /**
     * Begins without a photo, or goes on for a screen whose process ended.
     *
     * @param photos the folder's name, as it was told before; null for a new one
     */
    Session(Context context, String photos) {
        this.context = context.getApplicationContext();
        worker = BokehApp.of(context).worker();
        models = BokehApp.of(context).models();
        this.photos = new PhotoFolder(this.context, photos);
        worker.execute(() -> PhotoFolder.removeAbandoned(this.context));
    }

    /** The name of the folder that a later process finds the photo in. */
    String photos() {
        return photos.name();
    }

    void listen(Listener listener) {
        this.listener = listener;
    }

    boolean isBusy() {
        return job != null;
    }

    boolean hasPhoto() {
        return shown != null;
    }

    boolean isRendered() {
        return after() != null;
    }

    StatusText message() {
        return message;
    }

    Bitmap before() {
        return shown == null ? null : shown.before();
    }

    /** The rendering at full strength; null until it is there. */
    Bitmap after() {
        return shown == null ? null : shown.after();
    }

    Candidate renderedBy() {
        return shown == null ? null : shown.by();
    }

    float strength() {
        return strength;
    }

    /** From none, 0, to full, 1. */
    void setStrength(float strength) {
        this.strength = strength;
    }

    Candidate chosen() {
        return models.chosen();
    }

    /** Chooses what renders, null for the automatic choice, and renders anew. */
    void choose(Candidate candidate) {
        models.choose(candidate);
        start(
                R.string.rendering,
                job -> {
                    if (candidate == null) {
                        models.auto().forget();
                    }
                    if (shown != null) {
                        render(job, shown.photo(), shown.before());
                    }
                });
    }

    /** Gives the recipes on accelerators that one may choose from, on the main thread. */
    void candidates(Consumer<List<Candidate>> then) {
        worker.execute(
                () -> {
                    try {
                        List<Candidate> found = Candidate.of(models.bundle().recipes());
                        main.post(() -> then.accept(found));
                    } catch (IOException error) {
                        main.post(() -> say(messageOf(error)));
                    }
                });
    }

    /** Opens a photo that the user granted, and renders it. */
    void open(Uri uri) {
        start(
                R.string.opening,
                job -> {
                    File file = photos.newFile();
                    show(job, PhotoFile.copy(context.getContentResolver(), uri, file));
                });
    }

    /** Opens the photo that the camera wrote. */
    void openCaptured(File captured) {
        start(
                R.string.opening,
                job -> {
                    try {
                        show(job, PhotoFile.copyCaptured(captured, photos.newFile()));
                    } finally {
                        captured.delete();
                    }
                });
    }

    /** Opens the last photo again after the app's process had ended. */
    void reopen() {
        File last = photos.shown();
        if (last != null) {
            start(R.string.opening, job -> show(job, new PhotoFile(last)));
        }
    }

    private void show(Job job, PhotoFile opened) throws Exception {
        Bitmap preview;
        try {
            preview = opened.decodeUpright(PREVIEW_SIDE);
        } catch (PhotoException | OutOfMemoryError error) {
            opened.file().delete();
            throw error;
        }
        tell(
                job,
                () -> {
                    shown = new Shown(opened, preview, null, null, null);
                    message = new StatusText(R.string.rendering);
                    photos.keepOnly(opened.file());
                });
        render(job, opened, preview);
    }

    private void render(Job job, PhotoFile photo, Bitmap preview) throws Exception {
        Picture picture = Models.pictureOf(preview);
        List<Framed> views = new ArrayList<>();
        Models.Rendered rendered =
                models.render(
                        new int[] {photo.uprightHeight(), photo.uprightWidth()},
                        model -> {
                            views.clear();
                            views.addAll(Framed.views(picture, model.height(), model.width()));
                            return views.stream()
                                    .map(Framed::networkInput)
                                    .collect(Collectors.toList());
                        },
                        () -> job.cancelled);
        Overlay overlay = DetailTransfer.mean(views, rendered.views());
        Bitmap bokeh = preview.copy(Bitmap.Config.ARGB_8888, true);
        FullSize.render(bokeh, overlay, () -> job.cancelled);
        tell(
                job,
                () -> {
                    shown = new Shown(photo, preview, bokeh, overlay, rendered.by());
                    boolean asChosen = rendered.instead().isEmpty();
                    message =
                            asChosen
                                    ? StatusText.NONE
                                    : new StatusText(R.string.instead, rendered.instead());
                });
    }

    /** Saves among the phone's pictures. */
    void save(String name) {
        Saving saving = saving();
        start(
                R.string.saving,
                job -> {
                    Gallery.Writer<FullSize.Written> writer = out -> saving.write(job, out);
                    tellSaved(job, Gallery.add(context.getContentResolver(), name, writer));
                });
    }

    /** Saves to a place that the user chose; a photo that is still being opened, once it is. */
    void saveTo(Uri uri) {
        if (!isRendered()) {
            toSaveTo = uri;
            return;
        }
        Saving saving = saving();
        start(
                R.string.saving,
                job -> {
                    Gallery.Writer<FullSize.Written> writer = out -> saving.write(job, out);
                    tellSaved(
                            job,
                            Gallery.writeDocument(context.getContentResolver(), uri, writer));
                });
    }

    /** Writes a photo at its full size; null if it was cancelled. */
    private interface Saving {
        FullSize.Written write(Job job, OutputStream out) throws IOException, PhotoException;
    }

    /** Of what is on the screen now, at the strength that it has now. */
    private Saving saving() {
        Shown saved = shown;
        float share = strength;
        return (job, out) -> {
            Overlay overlay = saved.overlay().atStrength(share);
            return FullSize.write(context, saved.photo(), overlay, out, () -> job.cancelled);
        };
    }

    private void tellSaved(Job job, FullSize.Written written) {
        if (written != null) {
            int text = written.sample() == 1 ? R.string.saved : R.string.saved_smaller;
            StatusText saved = new StatusText(text, written.width(), written.height(), written.sample());
            tell(job, () -> message = saved);
        }
    }

    /** Writes a file to be shared; the screen then takes it with takeToShare. */
    void share(String name) {
        Saving saving = saving();
        start(
                R.string.saving,
                job -> {
                    SharedFiles.removeOld(context);
                    File file = SharedFiles.file(context, name);
                    FullSize.Written written = null;
                    try (OutputStream out = new FileOutputStream(file)) {
                        written = saving.write(job, out);
                    } finally {
                        if (written == null) {
                            file.delete();
                        }
                    }
                    tell(
                            job,
                            () -> {
                                toShare = SharedFiles.uri(name);
                                message = StatusText.NONE;
                            });
                });
    }

    /** What is ready to be shared, once; null if nothing is. */
    Uri takeToShare() {
        Uri uri = toShare;
        toShare = null;
        return uri;
    }

    /** Shows a sentence. */
    void say(StatusText message) {
        this.message = message;
        listener.onChanged();
    }

    /** Stops what is going on; what was there before stays. */
    void cancel() {
        if (job != null) {
            job.cancelled = true;
            job = null;
            worker.execute(this::forgetUnshown);
            say(new StatusText(R.string.cancelled));
        }
    }

    /** Removes what was copied and not shown, on the worker, between two jobs. */
    private void forgetUnshown() {
        Shown kept = shown;
        photos.keepOnly(kept == null ? null : kept.photo().file());
    }

    private void start(int text, Work work) {
        cancel();
        Job started = new Job();
        job = started;
        toShare = null;
        toSaveTo = null;
        say(new StatusText(text));
        worker.execute(() -> run(started, work));
    }

    private void run(Job job, Work work) {
        if (job.cancelled) {
            return;
        }
        StatusText failure = null;
        try {
            work.run(job);
        } catch (Exception error) {
            failure = messageOf(error);
        } catch (OutOfMemoryError error) {
            failure = new StatusText(R.string.no_memory);
        }
        StatusText failed = failure;
        tell(
                job,
                () -> {
                    this.job = null;
                    if (failed != null) {
                        message = failed;
                    }
                    Uri document = toSaveTo;
                    toSaveTo = null;
                    if (document != null && isRendered()) {
                        saveTo(document);
                    }
                });
    }

    private static StatusText messageOf(Exception error) {
        if (error instanceof PhotoException photo) {
            return new StatusText(photo.message(), photo.detail());
        }
        if (error instanceof Framed.TooNarrowException narrow) {
            return new StatusText(R.string.too_narrow, narrow.mostTimes());
        }
        if (error instanceof AcceleratorException) {
            return new StatusText(R.string.nothing_runs, error.getMessage());
        }
        if (error instanceof IOException && StorageErrors.isFull(error)) {
            return new StatusText(R.string.no_space);
        }
        return new StatusText(R.string.failed, String.valueOf(error.getMessage()));
    }

    /** Changes the state on the main thread, unless the job was cancelled meanwhile. */
    private void tell(Job job, Runnable change) {
        main.post(
                () -> {
                    if (!job.cancelled) {
                        change.run();
                        listener.onChanged();
                    }
                });
    }

    /**
     * Lets go of the model, and of the photo unless the screen comes back.
     *
     * @param forGood whether it does not
     */
    void close(boolean forGood) {
        listener = () -> {};
        if (job != null) {
            job.cancelled = true;
        }
        worker.execute(models::close);
        worker.execute(forGood ? photos::remove : photos::close);
    }
}
