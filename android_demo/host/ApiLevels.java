import com.sun.source.tree.AnnotationTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.IfTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import java.io.File;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * Finds calls of methods marked `@FromApi` that no check of the API level guards: ApiLevels FILES…
 * A call is `method()` in the same file, or `Class.method()`. It is guarded by an enclosing
 * `if (Build.VERSION.SDK_INT >= …)`, or by being in a marked method.
 * Prints one "file: method" a line. Methods are told apart by file and name.
 */
public final class ApiLevels {
    private static final String MARK = "FromApi";
    private static final String CHECK = "Build.VERSION.SDK_INT >=";

    public static void main(String[] arguments) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null);
        List<File> sources = Arrays.stream(arguments).map(File::new).toList();
        JavacTask task =
                (JavacTask)
                        compiler.getTask(
                                null,
                                files,
                                null,
                                List.of("-proc:none"),
                                null,
                                files.getJavaFileObjectsFromFiles(sources));
        Iterable<? extends CompilationUnitTree> units = task.parse();
        Set<String> marked = new HashSet<>();
        new Marked().scan(units, marked);
        new Unguarded().scan(units, marked);
    }

    private static boolean isMarked(MethodTree method) {
        for (AnnotationTree annotation : method.getModifiers().getAnnotations()) {
            if (annotation.getAnnotationType().toString().endsWith(MARK)) {
                return true;
            }
        }
        return false;
    }

    /** The name of a file, which is that of its class. */
    private static String fileOf(TreePath path) {
        String file = path.getCompilationUnit().getSourceFile().getName();
        return new File(file).getName().replace(".java", "");
    }

    /** Collects the marked methods as Class.method. */
    private static final class Marked extends TreePathScanner<Void, Set<String>> {
        @Override
        public Void visitMethod(MethodTree method, Set<String> marked) {
            if (isMarked(method)) {
                marked.add(fileOf(getCurrentPath()) + "." + method.getName());
            }
            return super.visitMethod(method, marked);
        }
    }

    /** Prints the calls of marked methods that nothing guards. */
    private static final class Unguarded extends TreePathScanner<Void, Set<String>> {
        @Override
        public Void visitMethodInvocation(MethodInvocationTree call, Set<String> marked) {
            String file = fileOf(getCurrentPath());
            String selected = call.getMethodSelect().toString().replaceFirst("^this\\.", "");
            boolean isOwn = !selected.contains(".");
            if (marked.contains(isOwn ? file + "." + selected : selected) && !isGuarded()) {
                System.out.println(file + ".java: " + selected);
            }
            return super.visitMethodInvocation(call, marked);
        }

        private boolean isGuarded() {
            Tree inner = getCurrentPath().getLeaf();
            for (TreePath at = getCurrentPath(); at != null; at = at.getParentPath()) {
                Tree outer = at.getLeaf();
                boolean checks =
                        outer instanceof IfTree choice
                                && choice.getThenStatement() == inner
                                && choice.getCondition().toString().contains(CHECK);
                if (checks || outer instanceof MethodTree method && isMarked(method)) {
                    return true;
                }
                inner = outer;
            }
            return false;
        }
    }
}
