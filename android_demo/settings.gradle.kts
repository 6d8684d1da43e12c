// For Android Studio; uses the same sources. The project's own build, android_demo.build, does not use it.
// Write the app's assets first: python -m android_demo.assets

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
