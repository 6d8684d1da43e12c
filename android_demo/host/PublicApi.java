import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.codehaus.mojo.animal_sniffer.ClassListBuilder;
import org.codehaus.mojo.animal_sniffer.SignatureChecker;
import org.codehaus.mojo.animal_sniffer.logging.Logger;
import org.codehaus.mojo.animal_sniffer.logging.PrintWriterLogger;

/**
 * Compares class files with a list of Android's public API: PublicApi SIGNATURES ANNOTATION
 * CLASSES… Methods with the annotation are not checked. The exit status is 1 if something is not on
 * the list.
 */
public final class PublicApi {
    public static void main(String[] arguments) throws IOException {
        Logger log = new PrintWriterLogger(System.out);
        ClassListBuilder own = new ClassListBuilder(log);
        List<String> classes = Arrays.asList(arguments).subList(2, arguments.length);
        for (String place : classes) {
            own.process(new File(place));
        }
        boolean right = true;
        try (InputStream signatures = new FileInputStream(arguments[0])) {
            Set<String> left = new HashSet<>(own.getPackages());
            left.add("java.lang.Record*"); // D8 makes them ordinary classes.
            SignatureChecker checker = new SignatureChecker(signatures, left, log);
            checker.setAnnotationTypes(List.of(arguments[1]));
            checker.setCheckJars(true);
            checker.setSourcePath(List.of());
            for (String place : classes) {
                checker.process(new File(place));
            }
            right = !checker.isSignatureBroken();
        }
        System.exit(right ? 0 : 1);
    }
}
