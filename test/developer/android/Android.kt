// The parts of Android and of Stripe that the quickstart's snippet uses: Maven Central has their libraries in part
// only.
package android.content

class Context
