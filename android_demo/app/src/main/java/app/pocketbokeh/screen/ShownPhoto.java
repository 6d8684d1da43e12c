package app.pocketbokeh.screen;

import android.content.Context;
import android.graphics.Bitmap;
import app.pocketbokeh.model.Candidate;
import app.pocketbokeh.photo.FullSize;
import app.pocketbokeh.photo.PhotoException;
import app.pocketbokeh.photo.PhotoFile;
import app.pocketbokeh.picture.DetailTransfer;
import app.pocketbokeh.picture.FocusPoint;
import app.pocketbokeh.picture.Framed;
import app.pocketbokeh.picture.NetworkInput;
import app.pocketbokeh.picture.Overlay;
import app.pocketbokeh.picture.Picture;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A photo on the screen and its rendering. It is replaced as a whole, so that what is saved is always
 * what is shown.
 *
 * @param before the photo, at screen size
 * @param after the rendering at full strength; null until it is rendered
 * @param overlay what the rendering changes in the photo; null until it is rendered
 * @param renderedBy null until it is rendered
 * @param instead why the model that the user chose did not render it; empty if it did
 * @param focus what the rendering keeps sharp; null for automatic focus
 * @param takesFocus whether the network can be told where to focus
 */
record ShownPhoto(
        PhotoFile file,
        Bitmap before,
        Bitmap after,
        Overlay overlay,
        Candidate renderedBy,
        String instead,
        FocusPoint focus,
        boolean takesFocus) {
    /** Pixels of the longest side on the screen; more than a screen has, to zoom in. */
    private static final int PREVIEW_SIDE = 2048;

    /** Decodes a photo for the screen. Deletes the file if it cannot be decoded. */
    static ShownPhoto decode(PhotoFile file) throws PhotoException {
        try {
            Bitmap before = file.decodeUpright(PREVIEW_SIDE);
            return unrendered(file, before);
        } catch (PhotoException | OutOfMemoryError error) {
            file.file().delete();
            throw error;
        }
    }

    private static ShownPhoto unrendered(PhotoFile file, Bitmap before) {
        return new ShownPhoto(file, before, null, null, null, "", null, false);
    }

    /** The photo alone. */
    ShownPhoto withoutRendering() {
        return unrendered(file, before);
    }

    /**
     * Renders the photo with the model that the user chose, or the fastest correct one.
     *
     * @param asked what to keep sharp, if the network can be told; null for automatic focus
     */
    ShownPhoto rendered(Models models, FocusPoint asked, FullSize.Cancelled cancelled)
            throws Exception {
        boolean takesFocus = models.bundle().takesFocus();
        FocusPoint kept = takesFocus ? asked : null;
        Picture picture = Models.pictureOf(before);
        List<Framed> views = new ArrayList<>();
        Models.Rendered rendered =
                models.render(
                        new int[] {file.uprightHeight(), file.uprightWidth()},
                        model -> {
                            views.clear();
                            views.addAll(Framed.views(picture, model.height(), model.width()));
                            return views.stream()
                                    .map(view -> inputOf(view, takesFocus, kept))
                                    .collect(Collectors.toList());
                        },
                        cancelled::isCancelled);
        Overlay found = DetailTransfer.mean(views, rendered.views());
        Bitmap bokeh = before.copy(Bitmap.Config.ARGB_8888, true);
        FullSize.render(bokeh, found, cancelled);
        return new ShownPhoto(
                file,
                before,
                bokeh,
                found,
                rendered.by(),
                rendered.instead(),
                kept,
                takesFocus);
    }

    private static NetworkInput inputOf(Framed view, boolean takesFocus, FocusPoint focus) {
        return takesFocus ? view.networkInput(focus) : view.networkInput();
    }

    /**
     * Writes the rendering at full size.
     *
     * @param strength 0…1
     * @return the size, or null if it was cancelled
     */
    FullSize.Written write(
            Context context, float strength, OutputStream out, FullSize.Cancelled cancelled)
            throws IOException, PhotoException {
        return FullSize.write(context, file, overlay.atStrength(strength), out, cancelled);
    }
}
