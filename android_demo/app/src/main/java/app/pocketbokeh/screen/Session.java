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
import app.pocketbokeh.photo.SharedFiles;
import app.pocketbokeh.photo.Storage;
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
import java.util.concurrent.Executors;
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

    private final Context context;
    private final Handler main = new Handler(Looper.getMainLooper());
    private final ExecutorService worker =
            Executors.newSingleThreadExecutor(task -> new Thread(task, "bokeh"));
    private final Models models;

    private Listener listener = () -> {};
    private Job job;
    private Message message = Message.NONE;
    private PhotoFile photo;
    private Bitmap before;
    private Bitmap after;
    private Overlay overlay;
    private Candidate renderedBy;
    private float strength = 1;
    private Uri toShare;

    Session(Context context) {
        this.context = context.getApplicationContext();
        models = new Models(this.context);
    }

    void listen(Listener listener) {
        this.listener = listener;
    }

    boolean isBusy() {
        return job != null;
    }

    boolean hasPhoto() {
        return before != null;
    }

    boolean isRendered() {
        return after != null;
    }

    Message message() {
        return message;
    }

    Bitmap before() {
        return before;
    }

    /** The rendering at full strength; null until it is there. */
    Bitmap after() {
        return after;
    }

    Candidate renderedBy() {
        return renderedBy;
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
                    if (photo != null) {
                        render(job, photo, before);
                    }
                });
    }

    /** Gives the recipes on accelerators that one may choose from, on the main thread. */
    void candidates(java.util.function.Consumer<List<Candidate>> then) {
        worker.execute(
                () -> {
                    List<Candidate> candidates;
                    try {
                        candidates = Candidate.of(models.bundle().recipes());
                    } catch (IOException error) {
                        candidates = List.of();
                    }
                    List<Candidate> found = candidates;
                    main.post(() -> then.accept(found));
                });
    }

    private File photoFile() {
        return new File(context.getNoBackupFilesDir(), "photo");
    }

    /** Opens a photo that the user granted, and renders it. */
    void open(Uri uri) {
        start(
                R.string.opening,
                job -> show(job, PhotoFile.copy(context.getContentResolver(), uri, photoFile())));
    }

    /** Opens the photo that the camera wrote. */
    void openCaptured(File captured) {
        start(
                R.string.opening,
                job -> {
                    new PhotoFile(captured);
                    if (!captured.renameTo(photoFile())) {
                        throw new IOException("ENOSPC");
                    }
                    show(job, new PhotoFile(photoFile()));
                });
    }

    /** Opens the last photo again after the app's process had ended. */
    void reopen() {
        if (photoFile().isFile()) {
            start(R.string.opening, job -> show(job, new PhotoFile(photoFile())));
        }
    }

    private void show(Job job, PhotoFile opened) throws Exception {
        Bitmap preview = opened.decodeUpright(PREVIEW_SIDE);
        tell(
                job,
                () -> {
                    photo = opened;
                    before = preview;
                    after = null;
                    overlay = null;
                    renderedBy = null;
                    message = new Message(R.string.rendering);
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
        Overlay found = DetailTransfer.mean(views, rendered.views());
        Bitmap bokeh = preview.copy(Bitmap.Config.ARGB_8888, true);
        FullSize.render(bokeh, found, () -> job.cancelled);
        tell(
                job,
                () -> {
                    overlay = found;
                    after = bokeh;
                    renderedBy = rendered.by();
                    boolean asChosen = rendered.instead().isEmpty();
                    message =
                            asChosen
                                    ? Message.NONE
                                    : new Message(R.string.instead, rendered.instead());
                });
    }

    /** Saves among the phone's pictures. */
    void save(String name) {
        start(
                R.string.saving,
                job -> {
                    Gallery.Writer<FullSize.Written> writer = out -> write(job, out);
                    tellSaved(job, Gallery.add(context.getContentResolver(), name, writer));
                });
    }

    /** Saves to a place that the user chose. */
    void saveTo(Uri uri) {
        start(
                R.string.saving,
                job -> {
                    Gallery.Writer<FullSize.Written> writer = out -> write(job, out);
                    tellSaved(
                            job,
                            Gallery.writeDocument(context.getContentResolver(), uri, writer));
                });
    }

    private FullSize.Written write(Job job, OutputStream out) throws IOException, PhotoException {
        return FullSize.write(
                context, photo, overlay.ofStrength(strength), out, () -> job.cancelled);
    }

    private void tellSaved(Job job, FullSize.Written written) {
        if (written != null) {
            int text = written.sample() == 1 ? R.string.saved : R.string.saved_smaller;
            Message saved = new Message(text, written.width(), written.height(), written.sample());
            tell(job, () -> message = saved);
        }
    }

    /** Writes a file to be shared; the screen then takes it with takeToShare. */
    void share(String name) {
        start(
                R.string.saving,
                job -> {
                    SharedFiles.forgetOld(context);
                    File file = SharedFiles.file(context, name);
                    try (OutputStream out = new FileOutputStream(file)) {
                        if (write(job, out) == null) {
                            return;
                        }
                    }
                    tell(
                            job,
                            () -> {
                                toShare = SharedFiles.uri(name);
                                message = Message.NONE;
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
    void say(int text) {
        message = new Message(text);
        listener.onChanged();
    }

    /** Stops what is going on; what was there before stays. */
    void cancel() {
        if (job != null) {
            job.cancelled = true;
            job = null;
            message = new Message(R.string.cancelled);
            listener.onChanged();
        }
    }

    private void start(int text, Work work) {
        cancel();
        Job started = new Job();
        job = started;
        message = new Message(text);
        listener.onChanged();
        worker.execute(() -> run(started, work));
    }

    private void run(Job job, Work work) {
        if (job.cancelled) {
            return;
        }
        Message failure = null;
        try {
            work.run(job);
        } catch (Exception error) {
            failure = messageOf(error);
        } catch (OutOfMemoryError error) {
            failure = new Message(R.string.no_memory);
        }
        Message failed = failure;
        tell(
                job,
                () -> {
                    this.job = null;
                    if (failed != null) {
                        message = failed;
                    }
                });
    }

    private static Message messageOf(Exception error) {
        if (error instanceof PhotoException photo) {
            return new Message(photo.message());
        }
        if (error instanceof Framed.TooNarrowException narrow) {
            return new Message(R.string.too_narrow, narrow.mostTimes());
        }
        if (error instanceof AcceleratorException) {
            return new Message(R.string.nothing_runs, error.getMessage());
        }
        if (error instanceof IOException && Storage.isFull(error)) {
            return new Message(R.string.no_space);
        }
        return new Message(R.string.failed, String.valueOf(error.getMessage()));
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

    /** Ends the worker once what it does is done. */
    void close() {
        listener = () -> {};
        if (job != null) {
            job.cancelled = true;
        }
        worker.execute(models::close);
        worker.shutdown();
    }
}
