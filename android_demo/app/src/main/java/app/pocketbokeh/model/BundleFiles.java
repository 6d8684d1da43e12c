package app.pocketbokeh.model;

import java.io.IOException;
import java.io.InputStream;

/** Opens the files of a bundle. */
public interface BundleFiles {
    /**
     * Opens a file of the bundle.
     *
     * @throws IOException if it does not exist
     */
    InputStream open(String name) throws IOException;
}
