package app.pocketbokeh.model;

import java.io.IOException;
import java.io.InputStream;

/** Where a bundle's files are read from. */
public interface BundleFiles {
    /**
     * Opens a file of the bundle.
     *
     * @throws IOException if there is none
     */
    InputStream open(String name) throws IOException;
}
