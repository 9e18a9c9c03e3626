// What the quickstart's snippet for Android uses of Android and of Stripe, whose libraries Maven Central has in part only.
package android.content

class Context
