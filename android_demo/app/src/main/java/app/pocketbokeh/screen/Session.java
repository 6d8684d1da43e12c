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
import app.pocketbokeh.picture.FocusPoint;
import app.pocketbokeh.picture.Framed;
import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.function.Consumer;

/**
 * Opens, renders, saves and shares one photo at a time. It survives a rotation of the screen. Slow
 * work runs on one worker thread; the screen is told of every change on the main thread.
 */
final class Session {
    /** Is called on the main thread after every change. */
    interface Listener {
        void onChanged();
    }

    /** A task that can be cancelled. */
    private static final class Job {
        final FocusPoint focus;
        volatile boolean cancelled;

        Job(FocusPoint focus) {
            this.focus = focus;
        }
    }

    private interface Work {
        void run(Job job) throws Exception;
    }

    private final Context context;
    private final Handler main = new Handler(Looper.getMainLooper());
    private final ExecutorService worker;
    private final Models models;
    private final PhotoFolder photos;

    private Listener listener = () -> {};
    private Job job;
    private StatusText message = StatusText.NONE;
    private volatile ShownPhoto shown; // set on the main thread only
    private float strength = 1;
    private Uri toShare;
    private Uri toSaveTo;

    /**
     * Starts without a photo.
     *
     * @param photos the name of the photo folder of a screen that is restored; null for a new one
     */
    Session(Context context, String photos) {
        this.context = context.getApplicationContext();
        worker = BokehApp.of(context).worker();
        models = BokehApp.of(context).models();
        this.photos = new PhotoFolder(this.context, photos);
        worker.execute(() -> PhotoFolder.removeAbandoned(this.context));
    }

    /** The name of the photo folder, with which a later process finds the photo again. */
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

    /** The rendering at full strength; null until it is rendered. */
    Bitmap after() {
        return shown == null ? null : shown.after();
    }

    Candidate renderedBy() {
        return shown == null ? null : shown.renderedBy();
    }

    float strength() {
        return strength;
    }

    /** Sets the strength of the bokeh, 0…1. */
    void setStrength(float strength) {
        this.strength = strength;
    }

    /** Whether the network can be told where to focus; known once a photo is rendered. */
    boolean takesFocus() {
        return shown != null && shown.takesFocus();
    }

    /** What is kept sharp, or will be after the present task; null for automatic focus. */
    FocusPoint focus() {
        return job == null ? shownFocus() : job.focus;
    }

    private FocusPoint shownFocus() {
        return shown == null ? null : shown.focus();
    }

    /** Renders again with another focus; null for automatic focus. */
    void focusOn(FocusPoint focus) {
        if (takesFocus() && !Objects.equals(focus, focus())) {
            start(R.string.rendering, focus, job -> render(job, shown));
        }
    }

    /** Renders again if the proof has found the model wrong whose rendering is shown. */
    void replaceWrong() {
        ShownPhoto photo = shown;
        if (isRendered()) {
            worker.execute(
                    () -> {
                        if (models.isWrong(photo.renderedBy())) {
                            main.post(() -> replace(photo));
                        }
                    });
        }
    }

    private void replace(ShownPhoto wrong) {
        if (shown == wrong) {
            FocusPoint focus = focus();
            shown = wrong.withoutRendering();
            start(R.string.rendering, focus, job -> render(job, shown));
        }
    }

    Candidate chosen() {
        return models.chosen();
    }

    /** Sets the model, null for the automatic choice, and renders again. */
    void choose(Candidate candidate) {
        models.choose(candidate);
        start(
                R.string.rendering,
                job -> {
                    if (candidate == null) {
                        models.auto().forget();
                    }
                    if (shown != null) {
                        render(job, shown);
                    }
                });
    }

    /** Passes on, on the main thread, the candidates that the user can choose from. */
    void candidates(Consumer<List<Candidate>> then) {
        worker.execute(
                () -> {
                    try {
                        List<Candidate> found = Candidate.of(models.bundle().recipes());
                        main.post(() -> then.accept(found));
                    } catch (IOException error) {
                        main.post(() -> say(errorText(error)));
                    }
                });
    }

    /** Opens a photo that the user gave access to, and renders it. */
    void open(Uri uri) {
        start(
                R.string.opening,
                null,
                job -> {
                    File file = photos.newFile();
                    show(job, PhotoFile.copy(context.getContentResolver(), uri, file));
                });
    }

    /** Opens the photo that the camera app wrote, and renders it. */
    void openCaptured(File captured) {
        start(
                R.string.opening,
                null,
                job -> {
                    try {
                        show(job, PhotoFile.copyCaptured(captured, photos.newFile()));
                    } finally {
                        captured.delete();
                    }
                });
    }

    /** Opens the last photo again, with the focus it had, after the app's process ended. */
    void reopen(FocusPoint focus) {
        File last = photos.shown();
        if (last != null) {
            start(R.string.opening, focus, job -> show(job, new PhotoFile(last)));
        }
    }

    private void show(Job job, PhotoFile file) throws Exception {
        ShownPhoto opened = ShownPhoto.decode(file);
        tell(
                job,
                () -> {
                    shown = opened;
                    message = new StatusText(R.string.rendering);
                    photos.keepOnly(file.file());
                });
        render(job, opened);
    }

    private void render(Job job, ShownPhoto photo) throws Exception {
        ShownPhoto rendered = photo.rendered(models, job.focus, () -> job.cancelled);
        String instead = rendered.instead();
        StatusText text =
                instead.isEmpty() ? StatusText.NONE : new StatusText(R.string.instead, instead);
        tell(
                job,
                () -> {
                    shown = rendered;
                    message = text;
                });
    }

    /** Saves to the phone's gallery. */
    void save(String name) {
        Saving saving = saving();
        start(
                R.string.saving,
                job -> {
                    Gallery.Writer<FullSize.Written> writer = out -> saving.write(job, out);
                    tellSaved(job, Gallery.add(context.getContentResolver(), name, writer));
                });
    }

    /** Saves to a document that the user chose. Waits if the photo is still being opened. */
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

    /** Captures the photo that is shown now and its strength. */
    private Saving saving() {
        ShownPhoto saved = shown;
        float now = strength;
        return (job, out) -> saved.write(context, now, out, () -> job.cancelled);
    }

    private void tellSaved(Job job, FullSize.Written written) {
        if (written != null) {
            int text = written.sample() == 1 ? R.string.saved : R.string.saved_smaller;
            StatusText saved = new StatusText(text, written.width(), written.height(), written.sample());
            tell(job, () -> message = saved);
        }
    }

    /** Writes a file to share; the screen then gets it from takeToShare. */
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

    /** Returns the file to share, once; null if there is none. */
    Uri takeToShare() {
        Uri uri = toShare;
        toShare = null;
        return uri;
    }

    /** Shows a status text. */
    void say(StatusText message) {
        this.message = message;
        listener.onChanged();
    }

    /** Stops the current task; what was shown before stays. */
    void cancel() {
        if (job != null) {
            job.cancelled = true;
            job = null;
            worker.execute(this::removeUnshown);
            say(new StatusText(R.string.cancelled));
        }
    }

    /** Removes copies that were never shown. Runs on the worker, between two tasks. */
    private void removeUnshown() {
        ShownPhoto kept = shown;
        photos.keepOnly(kept == null ? null : kept.file().file());
    }

    private void start(int text, Work work) {
        start(text, focus(), work);
    }

    private void start(int text, FocusPoint focus, Work work) {
        cancel();
        Job started = new Job(focus);
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
            failure = errorText(error);
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

    private static StatusText errorText(Exception error) {
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

    /** Changes the state on the main thread, unless the task was cancelled meanwhile. */
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
     * Closes the model. Also removes the photo if the screen will not be restored.
     *
     * @param forGood whether it will not
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
