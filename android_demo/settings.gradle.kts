// For Android Studio, over the same sources. Not run here: the app is built by android_demo.build.
// First, as Studio has no bundle of its own: python -m android_demo.assets

pluginManagement {
    repositories {
        google()
        mavenCentral()
    }
}

dependencyResolutionManagement {
    repositories {
        google()
        mavenCentral()
    }
}

rootProject.name = "pocket-bokeh"
include(":app")
